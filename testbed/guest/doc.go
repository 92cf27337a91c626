// Package guest says what a driver of virtual machines or containers can do. Drivers live in the packages
// below; package guesttest holds the conformance suite that each of them passes.
package guest
