package tcp

var orderScripts = []script{
	{
		name: "in order from SYN to FIN",
		packets: []pkt{
			{flags: syn, seq: 99},
			{dir: Reverse, flags: syn, seq: 499, ack: 100},
			{seq: 100, ack: 500},
			{seq: 100, data: "abc"},
			{dir: Reverse, seq: 500, ack: 103, data: "x"},
			{seq: 103, ack: 501, data: "de", flags: fin},
			{dir: Reverse, flags: fin, seq: 501, ack: 106},
			{seq: 106, ack: 502},
		},
		forward: "0 abc #4 / 3 de #6 / fin #6", reverse: "0 x #5 / fin #7",
		stats: Stats{Segments: 2, Bytes: 5},
	},
	{
		name:    "sequence numbers wrap",
		packets: []pkt{{flags: syn, seq: 0xfffffffc}, {seq: 0xfffffffd, data: "abcde"}, {seq: 2, data: "fg"}},
		forward: "0 abcde #2 / 5 fg #3 / cut #3", stats: Stats{Segments: 2, Bytes: 7},
	},
	{
		name:    "wrap while a segment waits",
		packets: []pkt{{flags: syn, seq: 0xfffffffc}, {seq: 0, data: "def"}, {seq: 0xfffffffd, data: "abc"}, {seq: 3, data: "g"}},
		forward: "0 abc #3 / 3 def #2 / 6 g #4 / cut #4", stats: Stats{Segments: 3, Bytes: 7, Reordered: 1},
	},
	{
		name:    "begins in the middle",
		packets: []pkt{{seq: 700, data: "abc"}, {seq: 696, data: "wxyz"}, {seq: 699, data: "zabcd"}, {seq: 696, data: "wxyz"}},
		forward: "0 abc #1 / 3 d #3 / cut #4", stats: Stats{Segments: 4, Bytes: 4, Before: 4, Resent: 4 + 4, Reordered: 1},
	},
	{
		name:    "three segments reversed",
		packets: []pkt{{flags: syn, seq: 99}, {seq: 106, data: "ghi"}, {seq: 103, data: "def"}, {seq: 100, data: "abc"}},
		forward: "0 abc #4 / 3 def #3 / 6 ghi #2 / cut #4", stats: Stats{Segments: 3, Bytes: 9, Reordered: 2},
	},
	{
		name:    "sent again whole",
		packets: []pkt{{seq: 100, data: "abc"}, {seq: 103, data: "def"}, {seq: 100, data: "abc"}, {seq: 103, data: "def"}},
		forward: "0 abc #1 / 3 def #2 / cut #4", stats: Stats{Segments: 4, Bytes: 6, Resent: 6},
	},
	{
		name:    "sent again with more",
		packets: []pkt{{seq: 100, data: "abc"}, {seq: 100, data: "abcdef"}},
		forward: "0 abc #1 / 3 def #2 / cut #2", stats: Stats{Segments: 2, Bytes: 6, Resent: 3},
	},
	{
		name:    "overlap at both sides of a hole",
		packets: []pkt{{seq: 100, data: "ab"}, {seq: 104, data: "ef"}, {seq: 101, data: "bcde"}},
		forward: "0 ab #1 / 2 cd #3 / 4 ef #2 / cut #3", stats: Stats{Segments: 3, Bytes: 6, Resent: 2, Reordered: 1},
	},
	{
		name:    "overlap while waiting",
		packets: []pkt{{flags: syn, seq: 99}, {seq: 102, data: "cd"}, {seq: 106, data: "gh"}, {seq: 101, data: "bcdefghi"}, {seq: 100, data: "a"}},
		forward: "0 a #5 / 1 b #4 / 2 cd #2 / 4 ef #4 / 6 gh #3 / 8 i #4 / cut #5",
		stats:   Stats{Segments: 4, Bytes: 9, Resent: 4, Reordered: 2},
	},
	{
		name:    "a waiting segment twice",
		packets: []pkt{{flags: syn, seq: 99}, {seq: 103, data: "def"}, {seq: 103, data: "def"}, {seq: 100, data: "abc"}},
		forward: "0 abc #4 / 3 def #2 / cut #4", stats: Stats{Segments: 3, Bytes: 6, Resent: 3, Reordered: 1},
	},
	{
		name:    "snap length",
		packets: []pkt{{seq: 100, data: "ab", length: 10}, {seq: 110, data: "", length: 5}, {seq: 115, data: "xy"}},
		forward: "0 ab #1 / 2 gap 8 #1 / 10 gap 5 #2 / 15 xy #3 / cut #3", stats: Stats{Segments: 3, Bytes: 4, Cut: 13},
	},
	{
		name:    "snap length, waiting",
		packets: []pkt{{flags: syn, seq: 99}, {seq: 110, data: "ab", length: 10}, {seq: 100, data: "cd", length: 10}, {seq: 108, data: "wxyz", length: 14}},
		forward: "0 cd #3 / 2 gap 8 #3 / 10 ab #2 / 12 gap 8 #2 / 20 gap 2 #4 / cut #4",
		stats:   Stats{Segments: 3, Bytes: 4, Cut: 18, Reordered: 1, Resent: 12},
	},
	{
		name:    "second vantage",
		packets: []pkt{{seq: 100, data: "abc"}, {seq: 100, data: "abc", vantage: 7}, {seq: 103, data: "def"}, {seq: 103, data: "def", vantage: 7}},
		forward: "0 abc #1 / 3 def #3 / cut #4", stats: Stats{Segments: 2, Bytes: 6},
	},
	{
		name: "lost between two vantages, then sent again",
		packets: []pkt{
			{seq: 100, data: "abc"},
			{seq: 100, data: "abc", vantage: 1},
			{seq: 103, data: "def"},
			{seq: 106, data: "ghi"},
			{seq: 106, data: "ghi", vantage: 1},
			{seq: 103, data: "def"},
			{seq: 103, data: "def", vantage: 1},
		},
		forward: "0 abc #1 / 3 def #3 / 6 ghi #4 / cut #7", stats: Stats{Segments: 4, Bytes: 9, Resent: 3, Reordered: 1},
	},
	{
		name:    "one vantage missed a packet",
		packets: []pkt{{seq: 100, data: "abc"}, {seq: 103, data: "def", vantage: 1}, {seq: 106, data: "ghi"}, {seq: 106, data: "ghi", vantage: 1}},
		forward: "0 abc #1 / 3 def #2 / 6 ghi #3 / cut #4", stats: Stats{Segments: 2, Bytes: 9},
	},
	{
		name: "buffer is full", options: Options{Buffer: 2 * smallest},
		packets: []pkt{{flags: syn, seq: 99}, {seq: 102, data: "c"}, {seq: 106, data: "g"}, {seq: 110, data: "k"}, {seq: 103, data: "def"}},
		forward: "0 gap 2 #4 / 2 c #2 / 3 def #5 / 6 g #3 / 7 gap 3 #5 / 10 k #4 / cut #5",
		stats:   Stats{Segments: 4, Bytes: 6, Missing: 5, Reordered: 1},
	},
	{
		name: "no buffer", options: Options{Buffer: 1},
		packets: []pkt{{flags: syn, seq: 99}, {seq: 102, data: "c"}, {seq: 100, data: "ab"}, {seq: 101, data: "bcd"}},
		forward: "0 gap 2 #2 / 2 c #2 / 3 d #4 / cut #4", stats: Stats{Segments: 3, Bytes: 2, Missing: 2, Late: 2, Reordered: 1, Resent: 2},
	},
	{
		name: "pool is empty", options: Options{Pool: NewPool(smallest)},
		packets: []pkt{{flags: syn, seq: 99}, {seq: 102, data: "c"}, {seq: 101, data: "b"}, {dir: Reverse, seq: 5, data: "x"}, {dir: Reverse, seq: 9, data: "y"}},
		forward: "0 gap 1 #3 / 1 b #3 / 2 c #2 / cut #5", reverse: "0 x #4 / 1 gap 3 #5 / 4 y #5 / cut #5",
		stats: Stats{Segments: 2, Bytes: 2, Missing: 1, Reordered: 1},
	},
}
