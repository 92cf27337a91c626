// Package shape infers the stages of a migration that cannot be decoded: encrypted by TLS, or of an unknown format. It looks at
// volumes, gaps, the clear headers of TLS records, and at the frames of the guest that moves.
//
// What is inferred has bounds, and the truth lies between them under these assumptions, which hold for QEMU 7.2 to 10.0
// (migration.c, savevm.c, net.c):
//   - The source's guest sends nothing once it has stopped, and the destination's nothing before it runs: QEMU delivers no frame
//     of a guest that is not running, and keeps its own announcements back until then.
//   - Pages are sent after at most 64 KiB of other data, and only then may the guest be stopped for good. Pre-copy begins with
//     the first page; QEMU reports MIGRATION_PASS 1 before the first byte.
//   - The stream ends with what was made after the stop (devices, the description of the machine), and the destination cannot run
//     before it has all, unless it is post-copy; then the guest's frames show it, if ports tell the two hosts apart.
//   - The destination closes its main channel after it has begun to run. In post-copy it answers on the way.
//
// Pages, rounds and dirty rates are not inferred: volumes do not show them. A source whose rate is limited sends in windows of
// 100 ms; the gaps between them are marked, and are no rounds.
package shape
