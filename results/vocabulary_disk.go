package results

// What a comparison of a disk's images shows, when a migration has copied it. Recorded together, at the trial's end; Host is
// where the guest runs then.
const (
	DiskCompared = "disk.compared" // B: the disk's size
	DiskDiffers  = "disk.differs"  // B: of sectors of 512 B that differ between the source's image and the destination's; Attrs: first (B, where the first of them begins)
	DiskWritten  = "disk.written"  // B: that the guest wrote at the destination, discards included: as much may differ
)

// What the guest itself read back of what it had written to its disk, at the trial's end, through its own device. Absent where it
// wrote nothing.
const (
	DiskVerified = "disk.verified" // B: of the disk that was read back and found intact
	DiskCorrupt  = "disk.corrupt"  // 1: pages of the disk whose content is wrong; Attrs: detail
)
