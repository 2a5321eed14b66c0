//go:build race

package testvectors

// flipEvery is one vector of how many the flip test takes: the race detector makes it ten times as slow, and has seen enough by then.
const flipEvery = 16
