package tcp

var acknowledgeScripts = []script{
	{
		name: "lost by the capture",
		packets: []pkt{
			{seq: 100, data: "abc"},
			{seq: 106, data: "ghi"},
			{dir: Reverse, seq: 5, ack: 109},
			{seq: 109, data: "j", after: 49},
			{seq: 110, data: "k", after: 1},
			{seq: 111, data: "l"},
		},
		forward: "0 abc #1 / 3 gap 3 #5 / 6 ghi #2 / 9 j #4 / 10 k #5 / 11 l #6 / cut #6",
		stats:   Stats{Segments: 5, Bytes: 9, Missing: 3},
	},
	{
		name: "acknowledgement captured before the data",
		packets: []pkt{
			{seq: 100, data: "abc"},
			{dir: Reverse, seq: 5, ack: 109},
			{dir: Reverse, seq: 5, ack: 112},
			{seq: 103, data: "def", after: 20},
			{seq: 106, data: "ghijkl"},
			{seq: 112, data: "m", after: 500},
			{dir: Reverse, seq: 5, ack: 113, after: 500},
		},
		forward: "0 abc #1 / 3 def #4 / 6 ghijkl #5 / 12 m #6 / cut #7", stats: Stats{Segments: 4, Bytes: 13},
	},
	{
		name: "no acknowledgement, so the network lost it",
		packets: []pkt{
			{seq: 100, data: "abc"}, {seq: 106, data: "ghi"}, {dir: Reverse, seq: 5, ack: 103}, {dir: Reverse, seq: 5, ack: 103, after: 900}, {seq: 103, data: "def", after: 900},
		},
		forward: "0 abc #1 / 3 def #5 / 6 ghi #2 / cut #5", stats: Stats{Segments: 3, Bytes: 9, Reordered: 1},
	},
	{
		name: "came after it was given up",
		packets: []pkt{
			{seq: 100, data: "abc"},
			{seq: 106, data: "ghi"},
			{dir: Reverse, seq: 5, ack: 109},
			{seq: 109, data: "j", after: 60},
			{seq: 102, data: "cdefg"},
			{seq: 105, data: "fghijk"},
		},
		forward: "0 abc #1 / 3 gap 3 #4 / 6 ghi #2 / 9 j #4 / 10 k #6 / cut #6",
		stats:   Stats{Segments: 5, Bytes: 8, Missing: 3, Late: 3, Resent: 2 + 5, Reordered: 1},
	},
	{
		name: "one wrong acknowledgement",
		packets: []pkt{
			{seq: 100, data: "abc"},
			{dir: Reverse, seq: 5, ack: 100000},
			{dir: Reverse, seq: 5, ack: 103},
			{seq: 103, data: "def", after: 100},
			{dir: Reverse, seq: 5, ack: 106},
			{seq: 106, data: "g", after: 100},
		},
		forward: "0 abc #1 / 3 def #4 / 6 g #6 / cut #6", stats: Stats{Segments: 3, Bytes: 7, Foreign: 1},
	},
	{
		name: "tail lost",
		packets: []pkt{
			{seq: 100, data: "abc"}, {dir: Reverse, seq: 5, ack: 110}, {dir: Reverse, seq: 5, ack: 120},
		},
		forward: "0 abc #1 / 3 gap 17 #3 / cut #3", stats: Stats{Segments: 1, Bytes: 3, Missing: 17},
	},
	{
		name: "tail lost in steps",
		packets: []pkt{
			{seq: 100, data: "abc"}, {dir: Reverse, seq: 5, ack: 110}, {dir: Reverse, seq: 5, ack: 120}, {dir: Reverse, seq: 5, ack: 120, after: 60},
		},
		forward: "0 abc #1 / 3 gap 7 #4 / 10 gap 10 #4 / cut #4", stats: Stats{Segments: 1, Bytes: 3, Missing: 17},
	},
	{
		name:    "FIN lost",
		packets: []pkt{{seq: 100, data: "abc"}, {dir: Reverse, seq: 5, ack: 104}, {dir: Reverse, seq: 5, ack: 104, after: 100}},
		forward: "0 abc #1 / cut #3", stats: Stats{Segments: 1, Bytes: 3},
	},
	{
		name:    "one byte lost, and the stream goes on",
		packets: []pkt{{seq: 100, data: "abc"}, {dir: Reverse, seq: 5, ack: 104}, {seq: 104, data: "e", after: 100}, {seq: 105, data: "f"}},
		forward: "0 abc #1 / 3 gap 1 #4 / 4 e #3 / 5 f #4 / cut #4", stats: Stats{Segments: 3, Bytes: 5, Missing: 1},
	},
	{
		name:    "FIN is acknowledged",
		packets: []pkt{{seq: 100, data: "abc"}, {seq: 108, flags: fin}, {dir: Reverse, seq: 5, ack: 109}, {dir: Reverse, seq: 5, ack: 109, after: 100}},
		forward: "0 abc #1 / 3 gap 5 #4 / fin #2", stats: Stats{Segments: 1, Bytes: 3, Missing: 5},
	},
	{
		name:    "direction is not in the capture",
		packets: []pkt{{dir: Reverse, seq: 5, ack: 0xfffffff0, data: "x"}, {dir: Reverse, seq: 6, ack: 10, data: "y"}, {dir: Reverse, seq: 7, ack: 5}},
		forward: "cut #3", reverse: "0 x #1 / 1 y #2 / cut #3", stats: Stats{Unseen: 26},
	},
	{
		name: "keep-alives and window probes",
		packets: []pkt{
			{flags: syn, seq: 99},
			{dir: Reverse, flags: syn, seq: 4, ack: 100},
			{seq: 100, ack: 5, data: "abc"},
			{dir: Reverse, seq: 5, ack: 103},
			{seq: 102, ack: 5},
			{seq: 102, ack: 5, data: "c"},
			{seq: 102, ack: 5, data: "?"},
			{seq: 103, data: "def"},
		},
		forward: "0 abc #3 / 3 def #8 / cut #8", stats: Stats{Segments: 2, Bytes: 6, Probes: 3},
	},
	{
		name: "one byte at a second vantage, behind its acknowledgement",
		packets: []pkt{
			{seq: 100, data: "a"},
			{seq: 100, data: "a", vantage: 1},
			{seq: 101, data: "b"},
			{dir: Reverse, seq: 5, ack: 102},
			{seq: 101, data: "b", vantage: 1},
			{seq: 101, data: "b", vantage: 1},
		},
		forward: "0 a #1 / 1 b #3 / cut #6", stats: Stats{Segments: 2, Bytes: 2, Probes: 1},
	},
	{
		name: "a probe's byte is new and refused",
		packets: []pkt{
			{seq: 100, data: "abc"}, {dir: Reverse, seq: 5, ack: 103}, {seq: 103, data: "d"}, {dir: Reverse, seq: 5, ack: 103}, {seq: 103, data: "def"},
		},
		forward: "0 abc #1 / 3 d #3 / 4 ef #5 / cut #5", stats: Stats{Segments: 3, Bytes: 6, Resent: 1},
	},
	{
		name:    "one byte sent again before it is acknowledged",
		packets: []pkt{{seq: 100, data: "a"}, {seq: 100, data: "a"}},
		forward: "0 a #1 / cut #2", stats: Stats{Segments: 2, Bytes: 1, Resent: 1},
	},
}
