// Package substrate saves a guest once and makes any number of guests from it: the VM substrates of Wang, Rao and Xu (VEE
// 2011), and the plain warm start.
//
// A substrate is booted, told to forget who it is, made small by its balloon, and saved as a memory file. A clone maps that file
// privately: it shares what it does not write with all others. At its activation it is told who it is, and given memory and
// vCPUs. A warm start is saved whole and read whole.
package substrate
