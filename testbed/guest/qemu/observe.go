package qemu

import "virtscope/testbed/guest"

// ObserveAppend is added, after image.Append, to the command line of a kernel whose start is observed (Start.Observe), so that its first byte comes
// as early as it can; "" where the command line is not read (boot: firmware). It is the same for every machine type.
//
// earlyprintk=ttyS0,115200 lets the kernel write before its serial driver is up. debug lets a bzImage's setup code say
// "early console in setup code" as its first act, and quiet, after it, takes back what else debug would print; systemd
// would read debug too, and is told its own level. A vmlinux that is entered by PVH says its first word ("Poking KASLR") when it has
// set up its memory, a tenth of a second under TCG after its entry: nothing in it speaks earlier. Together they print some 100 B to the serial
// port, of some ms under TCG; runs with and without differed by less than runs among themselves.
func ObserveAppend(_, boot string) string {
	if boot == guest.BootFirmware {
		return ""
	}
	return " " + earlyConsole + ",115200 debug systemd.log_level=info quiet"
}
