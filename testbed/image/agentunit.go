package image

// Where an image with systemd holds the agent: the executable that FindInit finds, and the unit that starts it. The unit is
// enabled by a link to it in sysinit.target.wants beside it.
const (
	AgentPath     = "/usr/local/sbin/virtscope-guest"
	AgentUnitName = "virtscope-agent.service"
	AgentUnitPath = "/etc/systemd/system/" + AgentUnitName
	AgentUnitLink = "/etc/systemd/system/sysinit.target.wants/" + AgentUnitName
)

// AgentUnit starts the agent as soon as the root file system can be written, since the initramfs has loaded the driver of its port: it waits for
// the network by itself. It writes to the journal and to nothing else, and is started anew when it ends.
const AgentUnit = `[Unit]
Description=virtscope guest agent
DefaultDependencies=no
After=systemd-udevd.service systemd-remount-fs.service
Before=shutdown.target
Conflicts=shutdown.target
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=` + AgentPath + ` --agent
Restart=always
RestartSec=1s
OOMScoreAdjust=-900

[Install]
WantedBy=sysinit.target
`
