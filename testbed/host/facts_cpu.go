package host

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// cpuValues returns what /proc/cpuinfo says under a key, for each CPU.
func (m *machine) cpuValues(keys ...string) ([]string, error) {
	if m.cpuErr != nil {
		return nil, m.cpuErr
	}
	var values []string
	for line := range strings.Lines(m.cpuinfo) {
		key, value, ok := strings.Cut(line, ":")
		if ok && slices.Contains(keys, strings.TrimSpace(key)) {
			values = append(values, strings.TrimSpace(value))
		}
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("/proc/cpuinfo has no %q", keys[0])
	}
	return values, nil
}

// cpuDistinct joins the different values of a key: big and little cores differ.
func (m *machine) cpuDistinct(key string) (string, error) {
	values, err := m.cpuValues(key)
	slices.Sort(values)
	return strings.Join(slices.Compact(values), ", "), err
}

func (m *machine) cpuModel() (string, error)  { return m.cpuDistinct("model name") }
func (m *machine) microcode() (string, error) { return m.cpuDistinct("microcode") }

func (m *machine) cpuCount() (string, error) {
	values, err := m.cpuValues("processor")
	if err != nil {
		return "", err
	}
	return strconv.Itoa(len(values)), nil
}

// cpuFlag says yes if all CPUs have the flag.
func (m *machine) cpuFlag(flag string) (string, error) {
	values, err := m.cpuValues("flags", "Features")
	if err != nil {
		return "", err
	}
	for _, v := range values {
		if !slices.Contains(strings.Fields(v), flag) {
			return "no", nil
		}
	}
	return "yes", nil
}

func (m *machine) governor() (string, error) {
	return m.distinct("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor")
}

// boost reads the generic switch, or Intel's, which says the opposite.
func (m *machine) boost() (string, error) {
	const generic, intel = "sys/devices/system/cpu/cpufreq/boost", "sys/devices/system/cpu/intel_pstate/no_turbo"
	value, err := m.read(generic)
	if err == nil {
		return map[string]string{"0": "off", "1": "on"}[value], nil
	}
	value, intelErr := m.read(intel)
	if intelErr != nil {
		return "", fmt.Errorf("%w; %w", err, intelErr)
	}
	return map[string]string{"0": "on", "1": "off"}[value], nil
}

// hypervisors maps what DMI strings contain to a name, as systemd-detect-virt does.
var hypervisors = []struct{ contains, name string }{
	{"KVM", "kvm"},
	{"Amazon EC2", "amazon"},
	{"QEMU", "qemu"},
	{"VMware", "vmware"},
	{"VMW", "vmware"},
	{"innotek GmbH", "virtualbox"},
	{"VirtualBox", "virtualbox"},
	{"Xen", "xen"},
	{"Bochs", "bochs"},
	{"Parallels", "parallels"},
	{"BHYVE", "bhyve"},
	{"Hyper-V", "microsoft"},
	{"Microsoft Corporation Virtual", "microsoft"},
	{"Google Compute Engine", "google"},
}

// virtualisation names the hypervisor below this machine, or "none". The CPU's flag decides whether there is
// one, since vendors such as Amazon and Microsoft sell bare metal under the same DMI names.
func (m *machine) virtualisation() (string, error) {
	flag, err := m.cpuFlag("hypervisor")
	if err != nil {
		return "", err
	}
	if kind, err := m.read("sys/hypervisor/type"); err == nil && kind != "" {
		return kind, nil
	}
	if flag == "no" {
		return "none", nil
	}
	var dmi []string
	for _, name := range []string{"sys_vendor", "product_name", "product_version", "board_vendor", "bios_vendor"} {
		value, err := m.read("sys/class/dmi/id/" + name)
		if err == nil {
			dmi = append(dmi, value)
		}
	}
	all := strings.Join(dmi, " ")
	for _, h := range hypervisors {
		if strings.Contains(all, h.contains) {
			return h.name, nil
		}
	}
	return "yes, unnamed (the CPU has the flag hypervisor)", nil
}

func (m *machine) meminfo(key string) (string, error) {
	text, err := m.text("proc/meminfo")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, key+":")
		if !ok {
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		if err != nil {
			return "", fmt.Errorf("/proc/meminfo: %s: %w", key, err)
		}
		return strconv.FormatInt(kib<<10, 10) + " B", nil
	}
	return "", errors.New("/proc/meminfo has no " + key)
}
