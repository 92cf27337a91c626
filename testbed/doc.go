// Package testbed brings a testbed up and down: hosts, a switch and shaped links, all of them network
// namespaces of this machine.
//
// Three hosts hang on one switch; each link is a veth pair, shaped in both directions:
//
//	vs-<run>-src     br0 (10.77.0.1) ── tap0, up0 ─┐
//	vs-<run>-dst     br0 (10.77.0.2) ── tap0, up0 ─┼─ p-src, p-dst, p-client ── lan   vs-<run>-sw
//	vs-<run>-client  br0 (10.77.0.3) ──────── up0 ─┘
//	vs-<run>-src     mig0 (10.78.0.1) ─┐
//	vs-<run>-dst     mig0 (10.78.0.2) ─┴───────────── m-src, m-dst ──────────── mig   vs-<run>-sw
//
// The second network is there if a migration link is configured. The guest (10.77.0.10) sits on the tap of
// the host where it runs. Names carry the run's id, so that [Sweep] finds what a killed run left behind.
package testbed
