package qemu

import (
	"strconv"
	"strings"
)

// AdviceFact is the name of the fact, among those that Fingerprint returns, that holds Advice; it is absent where there is none.
const AdviceFact = "qemu.advice"

// DestinationAdviceFact is the same for another QEMU at the destination.
const DestinationAdviceFact = "qemu.destination.advice"

// Advice says what is known to be wrong with a QEMU of this version under an accelerator, and what to do; it is empty where
// nothing is.
func Advice(version, accel string) string {
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	if err != nil || n >= 8 || accel != accelTCG {
		return ""
	}
	return "QEMU " + version + " under tcg corrupts the memory of guests in post-copy, and at times of any guest that writes while it is migrated: " +
		"install QEMU 8 or newer (Debian 12: apt-get install -t bookworm-backports qemu-system-x86)"
}
