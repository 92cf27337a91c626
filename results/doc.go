// Package results holds what a run is made of (trials, records, outcomes, the manifest) and keeps it on disk.
//
// Everything may import results; results imports only the standard library.
package results
