// Package wire sees migrations in packets: it puts the payload of connections into order, tells what they carry, lets a
// decoder read it, and records what the decoders and the guest's own frames show.
//
//	frames → packet.Decode → connection (tcp) → sniffer → decoder (qemu, nbd, shape) → records
//	                       → station.Watch (guests)                                  → records
package wire
