package qemu

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"virtscope/testbed/guest"

	"golang.org/x/sys/unix"
)

// hugePagesDir is where the kernel says what pages it has set aside (Documentation/admin-guide/mm/hugetlbpage.rst).
const hugePagesDir = "/sys/kernel/mm/hugepages"

// refuseStart says what of a spec's start no QEMU can do; nil if there is nothing. It looks at nothing but the spec.
func refuseStart(s guest.Spec) error {
	var errs []error
	no := func(holds bool, feature, remedy string) {
		if holds {
			errs = append(errs, &guest.NotSupportedError{Feature: feature, Where: "driver " + Name, Remedy: remedy})
		}
	}
	start, micro := s.Start, s.Machine == machineMicroVM
	switch start.Boot {
	case "", guest.BootKernel, guest.BootPVH:
	case guest.BootFirmware:
		no(s.Disk == nil, "guest.boot: firmware without a disk", "give the guest an image that boots (guest.image: debian, or a path)")
	default:
		no(true, "guest.boot: "+start.Boot, "use kernel, pvh or firmware")
	}
	switch start.Firmware {
	case "", firmwareBIOS, firmwareUEFI:
	default:
		no(true, "guest.firmware: "+start.Firmware, "use bios or uefi")
	}
	no(uefi(s) && micro, "guest.firmware: uefi with machine microvm", "use machine q35, or firmware bios")
	no(start.HugePages != 0 && start.HugePages != 2<<20 && start.HugePages != 1<<30,
		fmt.Sprintf("huge pages of %d B", start.HugePages), "use 2MiB or 1GiB")
	no(start.HugePages > 0 && s.Memory%start.HugePages != 0,
		fmt.Sprintf("a memory of %d B on huge pages of %d B", s.Memory, start.HugePages), "give guest.memory a multiple of guest.huge-pages")
	no(start.MaxVCPUs > 0 && start.MaxVCPUs < s.VCPUs,
		fmt.Sprintf("at most %d vCPUs with %d from the start", start.MaxVCPUs, s.VCPUs), "let it have as many as it starts with")
	no(start.MaxVCPUs > s.VCPUs && micro, "vCPUs that are plugged in, with machine microvm", "use machine q35, or give the guest all vCPUs from the start")
	return errors.Join(errs...)
}

// checkStart says what is missing on this machine for a start of s; where is its host.
func checkStart(s guest.Spec, where string) error {
	if err := refuseStart(s); err != nil {
		return err
	}
	if s.Start.Boot != guest.BootFirmware {
		if err := checkKernel(s.Kernel, s.Start.Boot == guest.BootPVH); err != nil {
			return err
		}
	}
	if s.Start.Seed != "" {
		if _, err := os.Stat(s.Start.Seed); err != nil {
			return fmt.Errorf("find the guest's cloud-init seed: %w", err)
		}
	}
	if err := checkMemoryFile(s.Start); err != nil {
		return err
	}
	return checkHugePages(hugePagesDir, s, where)
}

// checkMemoryFile refuses one that is there: a boot begins with empty memory, and it may be another guest's.
func checkMemoryFile(start guest.Start) error {
	if start.MemoryFile == "" {
		return nil
	}
	if _, err := os.Lstat(start.MemoryFile); err == nil {
		return fmt.Errorf("make the guest's memory file: %s is there: name one that is not, or remove it", start.MemoryFile)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("make the guest's memory file: %w", err)
	}
	if start.HugePages == 0 {
		return nil
	}
	dir := filepath.Dir(start.MemoryFile)
	var at unix.Statfs_t
	if err := unix.Statfs(dir, &at); err != nil {
		return fmt.Errorf("make the guest's memory file in %s: %w", dir, err)
	}
	if at.Type != unix.HUGETLBFS_MAGIC || int64(at.Bsize) != start.HugePages {
		return fmt.Errorf("make the guest's memory file in %s: it has no pages of %d B: mount a hugetlbfs there (mount -t hugetlbfs -o pagesize=%d none %s)",
			dir, start.HugePages, start.HugePages, dir)
	}
	return nil
}

// checkHugePages compares what the kernel has set aside in dir, and nobody has, with what the guest needs.
func checkHugePages(dir string, s guest.Spec, where string) error {
	if s.Start.HugePages == 0 {
		return nil
	}
	kib, need := s.Start.HugePages>>10, s.Memory/s.Start.HugePages
	pool := fmt.Sprintf("%s/hugepages-%dkB", dir, kib)
	missing := &guest.NotSupportedError{
		Feature: fmt.Sprintf("a guest on %d huge pages of %d KiB", need, kib), Where: where,
		Remedy: fmt.Sprintf("set them aside (echo %d > %s/nr_hugepages; for pages of 2 MiB also sysctl vm.nr_hugepages=%d; best soon after the machine's start), or set guest.huge-pages: none", need, pool, need),
	}
	free, err := readCount(pool + "/free_hugepages")
	if errors.Is(err, fs.ErrNotExist) {
		missing.Err, missing.Remedy = errors.New("its kernel has no pages of that size"), "use the other size, or set guest.huge-pages: none"
		return missing
	}
	if err != nil {
		return fmt.Errorf("count huge pages: %w", err)
	}
	promised, err := readCount(pool + "/resv_hugepages")
	if err != nil {
		return fmt.Errorf("count huge pages: %w", err)
	}
	if free-promised < need {
		missing.Err = fmt.Errorf("%d are free", free-promised)
		return missing
	}
	return nil
}

func readCount(path string) (int64, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", path, err)
	}
	return n, nil
}
