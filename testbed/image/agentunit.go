package image

// AgentUnit is the systemd unit of virtscope's agent in a guest with a disk.
const AgentUnit = `[Unit]
Description=virtscope's agent
DefaultDependencies=no
After=systemd-udevd.service local-fs.target
Before=multi-user.target

[Service]
ExecStart=/usr/local/lib/virtscope/agent --agent
Restart=on-failure
RestartSec=1

[Install]
WantedBy=multi-user.target
`
