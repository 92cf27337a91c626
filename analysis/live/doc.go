// Package live folds a run's records into what can be said of it so far, and draws that for a terminal.
//
// It keeps no record: a trial's state is of a size that does not grow with it. What is exact needs all records of a trial and
// stands in its timeline; here an outage that goes on is a lower bound, and what nobody told yet is unknown, with the reason.
package live
