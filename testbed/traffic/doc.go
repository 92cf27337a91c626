// Package traffic sends cross-traffic between two hosts of a testbed: what else passes the link that a migration takes.
package traffic
