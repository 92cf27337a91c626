package main

import "time"

// poll asks until it is told yes, an error, or that so long was long enough; done then is false.
func poll(wait, every time.Duration, ask func() (done bool, err error)) (done bool, err error) {
	until := mono() + int64(wait)
	for {
		done, err := ask()
		if done || err != nil {
			return done, err
		}
		if mono() > until {
			return false, nil
		}
		sleepUntil(mono() + int64(every))
	}
}
