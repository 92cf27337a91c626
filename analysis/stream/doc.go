// Package stream turns what the decoders of probes/wire recorded of a capture into what a reader sees: the migrations in
// it, with their stages, rounds and pages, and where its guests were.
//
//  1. The records are checked and put together by migration (records.go).
//  2. Stages are laid end to end (stages.go), rounds get their ends and their sums (rounds.go), and the totals, channels,
//     devices, faults and damage are collected (migration.go and beside it).
//  3. Guests get their silence around the switch-over, and the longest elsewhere as their noise floor (guest.go).
//
// A count is exact, or "at least" where packets are missing; what is not known has no value, and says why. Package timeline
// holds the result against what hypervisors say.
package stream
