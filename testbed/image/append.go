package image

// AddressParam is the word of the kernel's command line that gives the guest its address as CIDR:
// virtscope.addr=10.77.0.10/24. Without it the guest has no network.
const AddressParam = "virtscope.addr"

// NameParam is the word that gives the guest its host name.
const NameParam = "virtscope.name"

// CalmParam is the word by which the guest's agent looks at its clock ten times a second and not a thousand times, and beats once a
// second: for many guests, whose outages nobody measures.
const CalmParam = "virtscope.calm"

// Append is the kernel's command line for the built-in guest, without its address. Word by word:
//
//   - console=ttyS0 quiet: the guest's init and the kernel's errors go to the serial port; what else the
//     kernel says would cost an emulated port access a character.
//   - panic=-1: a panic, or init's end, reboots at once; with -no-reboot the hypervisor then ends, which is
//     how a dead guest is noticed.
//   - mitigations=off: an emulated CPU has nothing to mitigate, and under KVM the host does it.
//   - tsc=reliable: without it the kernel watches the TSC against a slower clock, takes a stalled vCPU for a
//     broken TSC and changes the clock source in the middle of a trial. The TSC stands still while the guest
//     is stopped, and unlike hpet and acpi_pm it is read without the hypervisor's lock, which a migration
//     holds. KVM guests use kvm-clock all the same.
//   - no_timer_check: an emulated timer that comes late on a busy host must not fail the boot.
//   - cryptomgr.notests: the kernel's tests of its ciphers take 0.2 s of an emulated boot of 1.8 s.
//
// What was measured and made no difference: nokaslr, lpj, numa=off, ipv6.disable, init_on_alloc=0, lsm=,
// random.trust_cpu, rcupdate.rcu_expedited, and a compressed initramfs, which is slower by 0.06 s. acpi=off
// saves 0.25 s, but takes the power switch and the clocks by which the TSC is calibrated.
const Append = "console=ttyS0 quiet panic=-1 mitigations=off tsc=reliable no_timer_check cryptomgr.notests"
