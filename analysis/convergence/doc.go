// Package convergence says why a migration did, or did not, converge: what each round dirtied against what the link carried in
// it, what bounded the speed, and what published models predict from the same figures.
//
//  1. What was measured of a migration is its Input; package timeline fills it in.
//  2. Each round's dirty rate and link rate are set against each other (round.go).
//  3. Rules name what limited the migration, each with its evidence in words (finding.go).
//  4. The models of package model are asked, and held against what was measured (predict.go).
//  5. The answer is a sentence (answer.go).
//
// What is not known is said to be, with the reason, and takes part in no rule.
package convergence
