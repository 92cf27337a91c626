package wire

import (
	"strconv"
	"virtscope/probes/wire/nbd"
	"virtscope/results"
)

// mirror reads a connection to an NBD server.
func (c *connection) mirror() {
	s := c.session
	s.streams++
	c.told = true
	conf := nbd.Config{Stream: strconv.Itoa(s.streams), Host: s.conf.Host, Client: c.source(), Server: c.destination()}
	c.nbd = nbd.New(conf, results.RecorderFunc(s.emit))
	c.forward().deliver(c.nbd.Client())
	c.reverse().deliver(c.nbd.Server())
}
