package image

import (
	"net/netip"
	"strings"

	"go.yaml.in/yaml/v4"
)

// seedMeta is NoCloud's meta-data.
type seedMeta struct {
	InstanceID string `yaml:"instance-id"`
	Hostname   string `yaml:"local-hostname"`
}

// seedConfig is a cloud-config, as far as it is used.
type seedConfig struct {
	Hostname    string         `yaml:"hostname"`
	Keep        bool           `yaml:"preserve_hostname"`
	ManageHosts bool           `yaml:"manage_etc_hosts"`
	Passwords   bool           `yaml:"ssh_pwauth"`
	Users       []seedUserData `yaml:"users,omitempty"`
	Run         []string       `yaml:"runcmd,omitempty"`
}

type seedUserData struct {
	Name  string   `yaml:"name"`
	Sudo  string   `yaml:"sudo"`
	Shell string   `yaml:"shell"`
	Lock  bool     `yaml:"lock_passwd"`
	Keys  []string `yaml:"ssh_authorized_keys,omitempty"`
}

// seedCard is the name that the card gets: the one that a kernel gives the first card by itself.
const seedCard = "eth0"

// seedNetwork is network-config, version 2.
type seedNetwork struct {
	Version   int                     `yaml:"version"`
	Ethernets map[string]seedEthernet `yaml:"ethernets"`
}

type seedEthernet struct {
	Match     map[string]string `yaml:"match"`
	Name      string            `yaml:"set-name"`
	DHCP4     bool              `yaml:"dhcp4"`
	DHCP6     bool              `yaml:"dhcp6"`
	Addresses []string          `yaml:"addresses"`
}

func (s Seed) metaData() seedMeta { return seedMeta{InstanceID: s.InstanceID, Hostname: s.Hostname} }

func (s Seed) userData() seedConfig {
	c := seedConfig{Hostname: s.Hostname, ManageHosts: true, Run: s.Run}
	if s.User != "" {
		c.Users = []seedUserData{{Name: s.User, Sudo: "ALL=(ALL) NOPASSWD:ALL", Shell: "/bin/bash", Lock: true, Keys: s.Keys}}
	}
	return c
}

func (s Seed) network() seedNetwork {
	prefix := netip.MustParsePrefix(s.Address) // check parsed it
	return seedNetwork{Version: 2, Ethernets: map[string]seedEthernet{
		// Without a name of its own, a renderer that knows no match (ifupdown's) would set up a card called as the entry is.
		seedCard: {Match: map[string]string{"macaddress": strings.ToLower(s.MAC)}, Name: seedCard, Addresses: []string{prefix.String()}},
	}}
}

// cloudYAML is YAML as YAML 1.1 reads it too, which cloud-init does: a text that either takes for something else is quoted.
func cloudYAML(document any) ([]byte, error) { return yaml.Dump(document) }
