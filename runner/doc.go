// Package runner takes the trials of a plan one by one through their states: prepare, boot, warm-up, baseline, action, quiesce,
// collect, tear-down. It knows interfaces only, and decides how a trial ended:
//
//   - completed: measured;
//   - failed: the subject's own outcome, which is data and is not retried;
//   - invalid: our fault, retried within the experiment's bound;
//   - interrupted: cut off by the user.
package runner
