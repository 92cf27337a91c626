package image

// AgentPath is where a disk has virtscope's agent.
const AgentPath = "/usr/local/lib/virtscope/agent"

// AgentUnit is the systemd unit of virtscope's agent in a guest with a disk, virtscope-agent.service. It starts as soon as the root
// file system can be written, since the initramfs has loaded the driver of its port; it waits for the network by itself.
const AgentUnit = `[Unit]
Description=virtscope's agent
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
WantedBy=multi-user.target
`
