// Package timeline turns the records of one trial into what happened: its states, the phases and rounds of its
// migration, its outages as four observers saw them, and a flat list of metrics.
//
//  1. All records are checked, put on the controller's clock and sorted (index.go, clock.go).
//  2. The edges of the migration are found (migration.go) and cut the action into phases that add up (phases.go), whatever its
//     algorithm: docs/algorithms.md.
//  3. Each round gets the bytes that crossed the switch in it (rounds.go, flow.go),
//     and what the hypervisor says of it (counters.go).
//  4. Each observer's outage is estimated by itself, and the same estimate on the undisturbed baseline is its noise
//     floor (wire.go, client.go, guest.go, standstill.go, gap.go). Views are compared, never merged (disagree.go).
//  5. What the decoded packets show of the migration (stream.go) is held against what the hypervisors say (compare.go,
//     compare_rounds.go).
//  6. Metrics and the few series that figures need are extracted (metrics.go, metrics_wire.go, metrics_algorithm.go, series.go);
//     records can then be let go.
//  7. Why the migration did, or did not, converge is left to package convergence (converge.go).
//
// That is a migration. What another action is made of is found by packages of its own: start and deploy (boot), saving
// (checkpoint), recovery (recover), jobs; actions.go says which, and package metric names their figures. Here they are joined with
// what the views, the workload and the probes show.
//
// Every value carries the interval in which the truth lies. What cannot be known says why and has no value.
package timeline
