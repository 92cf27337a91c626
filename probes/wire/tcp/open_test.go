package tcp

var openScripts = []script{
	{
		name:    "SYN with data",
		packets: []pkt{{flags: syn, seq: 99, data: "ab"}, {dir: Reverse, flags: syn, seq: 4, ack: 102}, {seq: 102, data: "c"}},
		forward: "0 ab #1 / 2 c #3 / cut #3", reverse: "cut #3", stats: Stats{Segments: 2, Bytes: 3},
	},
	{
		name:    "SYN with data that was refused",
		packets: []pkt{{flags: syn, seq: 99, data: "ab"}, {dir: Reverse, flags: syn, seq: 4, ack: 100}, {seq: 100, data: "abc"}},
		forward: "0 ab #1 / 2 c #3 / cut #3", stats: Stats{Segments: 2, Bytes: 3, Resent: 2},
	},
	{
		name: "SYN and SYN/ACK twice",
		packets: []pkt{
			{flags: syn, seq: 99},
			{flags: syn, seq: 99},
			{dir: Reverse, flags: syn, seq: 4, ack: 100},
			{dir: Reverse, flags: syn, seq: 4, ack: 100},
			{seq: 100, data: "ab"},
			{dir: Reverse, flags: syn, seq: 4, ack: 100},
			{dir: Reverse, seq: 5, data: "x"},
			{dir: Reverse, flags: syn, seq: 4, ack: 100},
		},
		forward: "0 ab #5 / cut #8", reverse: "0 x #7 / cut #8", stats: Stats{Segments: 1, Bytes: 2},
	},
	{
		name: "another SYN/ACK before any payload",
		packets: []pkt{
			{flags: syn, seq: 99}, {dir: Reverse, flags: syn, seq: 4, ack: 100}, {dir: Reverse, flags: syn, seq: 70000, ack: 100}, {dir: Reverse, seq: 70001, data: "x"},
		},
		forward: "cut #4", reverse: "0 x #4 / cut #4",
	},
	{
		name:    "SYN not captured, its answer was",
		packets: []pkt{{dir: Reverse, flags: syn, seq: 4, ack: 100}, {seq: 103, data: "d"}, {dir: Reverse, seq: 5, ack: 104}},
		forward: "0 gap 3 #3 / 3 d #2 / cut #3", reverse: "cut #3", stats: Stats{Segments: 1, Bytes: 1, Missing: 3},
	},
	{
		name:    "SYN captured behind data",
		packets: []pkt{{seq: 100, data: "ab"}, {flags: syn, seq: 99}, {seq: 102, data: "c"}},
		forward: "0 ab #1 / 2 c #3 / cut #3", stats: Stats{Segments: 2, Bytes: 3},
	},
	{
		name:    "addresses and ports used again",
		packets: []pkt{{flags: syn, seq: 99}, {seq: 100, data: "ab"}, {flags: fin, seq: 102}, {flags: syn, seq: 90000, another: true}},
		forward: "0 ab #2 / fin #3", stats: Stats{Segments: 1, Bytes: 2},
	},
	{
		name:    "used again, and only SYN/ACK was captured",
		packets: []pkt{{dir: Reverse, flags: syn, seq: 99}, {dir: Reverse, seq: 100, data: "ab"}, {dir: Reverse, flags: syn, seq: 90000, ack: 5, another: true}},
		reverse: "0 ab #2 / cut #3",
	},
	{
		name:    "used again after a middle",
		packets: []pkt{{seq: 100, data: "ab"}, {flags: syn, seq: 90000, another: true}, {dir: Reverse, flags: syn, seq: 7, ack: 90001, another: true}},
		forward: "0 ab #1 / cut #3", stats: Stats{Segments: 1, Bytes: 2},
	},
	{
		name:    "used again after a middle of the other side",
		packets: []pkt{{dir: Reverse, seq: 100, data: "ab"}, {flags: syn, seq: 90000, another: true}},
		forward: "cut #2", reverse: "0 ab #1 / cut #2",
	},
	{
		name:    "FIN waits for data",
		packets: []pkt{{flags: syn, seq: 99}, {seq: 103, data: "def", flags: fin}, {seq: 106, flags: fin}, {seq: 100, data: "abc"}},
		forward: "0 abc #4 / 3 def #2 / fin #2", stats: Stats{Segments: 2, Bytes: 6, Reordered: 1},
	},
	{
		name: "data behind FIN",
		packets: []pkt{
			{flags: syn, seq: 99}, {seq: 106, data: "?"}, {seq: 103, flags: fin}, {seq: 102, data: "c??"}, {seq: 100, data: "ab"}, {seq: 103, data: "??"}, {seq: 100, data: "abc"},
		},
		forward: "0 ab #5 / 2 c #4 / fin #3", stats: Stats{Segments: 4, Bytes: 3, AfterEnd: 1 + 2 + 2, Resent: 3, Reordered: 2},
	},
	{
		name:    "FIN within what waits",
		packets: []pkt{{flags: syn, seq: 99}, {seq: 103, data: "de??"}, {seq: 109, data: "?"}, {seq: 105, flags: fin}, {seq: 100, data: "abc"}},
		forward: "0 abc #5 / 3 de #2 / fin #4", stats: Stats{Segments: 3, Bytes: 5, AfterEnd: 3, Reordered: 1},
	},
	{
		name: "answer to another SYN",
		packets: []pkt{
			{dir: Reverse, flags: syn, seq: 99},
			{flags: syn, seq: 4, ack: 7777},
			{dir: Reverse, seq: 100, data: "a"},
			{flags: syn, seq: 20, ack: 100},
			{seq: 21, data: "x"},
			{flags: syn | rst, seq: 22},
		},
		forward: "0 x #5 / reset #6", reverse: "0 a #3 / reset #6", stats: Stats{Segments: 1, Bytes: 1, Foreign: 1},
	},
	{
		name:    "FIN twice, and before what was given",
		packets: []pkt{{seq: 100, data: "abc"}, {seq: 101, flags: fin}, {seq: 103, flags: fin}, {seq: 103, flags: fin}},
		forward: "0 abc #1 / fin #3", stats: Stats{Segments: 1, Bytes: 3, Foreign: 1},
	},
	{
		name:    "FIN alone",
		packets: []pkt{{dir: Reverse, seq: 5, ack: 101}, {seq: 100, flags: fin}},
		forward: "fin #2", reverse: "cut #2",
	},
	{
		name:    "FIN whose data never came",
		packets: []pkt{{flags: syn, seq: 99}, {seq: 104, data: "e"}, {seq: 107, flags: fin}},
		forward: "0 gap 4 #3 / 4 e #2 / 5 gap 2 #3 / fin #3", stats: Stats{Segments: 1, Bytes: 1, Missing: 6},
	},
	{
		name:    "RST",
		packets: []pkt{{seq: 100, ack: 5, data: "abc"}, {seq: 103, ack: 5, flags: rst}, {dir: Reverse, seq: 5, ack: 103, data: "x"}, {seq: 103, data: "?"}},
		forward: "0 abc #1 / reset #2", reverse: "0 x #3 / reset #2", stats: Stats{Segments: 1, Bytes: 3, AfterEnd: 1},
	},
	{
		name:    "RST behind a hole",
		packets: []pkt{{seq: 100, data: "abc"}, {seq: 105, data: "f"}, {seq: 106, flags: rst}},
		forward: "0 abc #1 / 3 gap 2 #3 / 5 f #2 / reset #3", reverse: "reset #3", stats: Stats{Segments: 2, Bytes: 4, Missing: 2},
	},
	{
		name: "RST outside the window",
		packets: []pkt{
			{seq: 100, data: "abcdef"},
			{dir: Reverse, seq: 5, ack: 103},
			{seq: 50, flags: rst},
			{seq: 102, flags: rst},
			{seq: 106 + 65536, flags: rst},
			{seq: 1 << 31, flags: rst},
			{seq: 106, data: "g"},
		},
		forward: "0 abcdef #1 / 6 g #7 / cut #7", reverse: "cut #7", stats: Stats{Segments: 2, Bytes: 7, Foreign: 4},
	},
	{
		name:    "RST at what was acknowledged",
		packets: []pkt{{seq: 100, data: "abcdef"}, {dir: Reverse, seq: 5, ack: 103}, {seq: 103, flags: rst}},
		forward: "0 abcdef #1 / reset #3", reverse: "reset #3", stats: Stats{Segments: 1, Bytes: 6},
	},
	{
		name:    "refused",
		packets: []pkt{{flags: syn, seq: 99}, {dir: Reverse, flags: rst, ack: 300}, {dir: Reverse, flags: rst, ack: 100}},
		forward: "reset #3", reverse: "reset #3",
	},
	{
		name:    "RST of a side without payload",
		packets: []pkt{{seq: 100, ack: 500, data: "a"}, {dir: Reverse, flags: rst, seq: 499}, {dir: Reverse, flags: rst, seq: 501}, {seq: 101, data: "b", after: 60}},
		forward: "0 a #1 / reset #3", reverse: "reset #3", stats: Stats{Segments: 1, Bytes: 1, AfterEnd: 1},
	},
	{
		name:    "RST after FIN",
		packets: []pkt{{seq: 100, ack: 5, data: "a", flags: fin}, {seq: 102, ack: 5, flags: rst}},
		forward: "0 a #1 / fin #1", reverse: "reset #2", stats: Stats{Segments: 1, Bytes: 1},
	},
}
