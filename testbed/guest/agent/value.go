package agent

import "encoding/binary"

// FillValue writes the value that key number n of kv has in a version: 0 is what it holds when it is ready. Who wrote it
// can tell a value that is stale, another key's or damaged. The sequence is that of splitmix64 (Steele, Lea and Flood,
// OOPSLA 2014).
func FillValue(value []byte, n uint64, version uint64) {
	state := splitmix(splitmix(n) ^ version)
	for len(value) >= 8 {
		binary.LittleEndian.PutUint64(value, splitmix(state))
		state += golden
		value = value[8:]
	}
	var last [8]byte
	binary.LittleEndian.PutUint64(last[:], splitmix(state))
	copy(value, last[:])
}

const golden = 0x9e3779b97f4a7c15

func splitmix(z uint64) uint64 {
	z += golden
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
