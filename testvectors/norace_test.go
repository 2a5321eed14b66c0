//go:build !race

package testvectors

const flipEvery = 1
