package shape

// plaintext is how much the records of application data carried, B: a guess, at least and at most.
func (r *records) plaintext(h *hello) (guess, least, most int64) {
	count, bytes, waste := r.count, r.bytes, r.waste
	if r.byes { // the last one only says farewell
		count, bytes, waste = count-1, bytes-byeLength, waste-byeLength
	}
	thin, thick := h.overhead()
	if thin != thick { // a range
		most = bytes - min(waste, count*thin)
		least = max(0, bytes-waste-r.early)
		return least + (most-least)/2, least, most
	}
	most = max(0, bytes-count*thin)
	if h.version == 0x0303 { // the handshake has records of its own
		return most, most, most
	}
	// The client's last handshake messages are among the first records.
	return most, max(0, most-max(0, r.early-r.earlyN*thin)), most
}
