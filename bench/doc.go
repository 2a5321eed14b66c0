// Package bench measures Kith beside other implementations. It is a module of its own so that theirs stay out of Kith's
// go.mod. README.md has the commands.
package bench
