// Nojudge is a program that knows nothing of mutants.
package main

func main() {}
