package conformance

// WithoutContract lets a test play the cases against what is no target.
func (r *Runner) WithoutContract() *Runner {
	r.noContract = true
	return r
}
