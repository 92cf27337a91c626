package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// smaps is what mappings take, in B.
type smaps struct {
	private int64 // pages that nobody else has
	shared  int64 // the proportional share of the others
}

// parseSmaps reads /proc/PID/smaps (Documentation/filesystems/proc.rst): Private_Clean, Private_Dirty and Private_Hugetlb are
// private, and what is left of Pss is shared. Of the mapping of the file common, only Anonymous is: pages that were copied when they
// were written.
func parseSmaps(r io.Reader, common string) (sum smaps, err error) {
	var fields map[string]int64
	ofCommon, found := false, false
	end := func() {
		private := fields["Private_Clean"] + fields["Private_Dirty"]
		if ofCommon {
			private = fields["Anonymous"]
		}
		sum.shared += max(0, fields["Pss"]-private) // Pss is rounded down
		sum.private += private + fields["Private_Hugetlb"]
	}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		key, rest, isField := strings.Cut(lines.Text(), ":")
		if !isField || strings.Contains(key, " ") { // the first line of a mapping: addresses, flags, offset, device (with a colon), inode, path
			end()
			fields, found = map[string]int64{}, true
			_, path, _ := strings.Cut(lines.Text(), "/")
			ofCommon = common != "" && "/"+path == common
			continue
		}
		amount, unit, ok := strings.Cut(strings.TrimSpace(rest), " ")
		if !ok || unit != "kB" || fields == nil {
			continue // such as VmFlags
		}
		n, err := strconv.ParseInt(amount, 10, 64)
		if err != nil || n < 0 || n > 1<<50 {
			return smaps{}, fmt.Errorf("%s of a mapping: got %q: want kB", key, amount)
		}
		fields[key] = n << 10
	}
	end()
	if err := lines.Err(); err != nil {
		return smaps{}, err
	}
	if !found {
		return smaps{}, errors.New("the process has no mappings: it has ended")
	}
	return sum, nil
}
