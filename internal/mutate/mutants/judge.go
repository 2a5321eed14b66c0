package mutants

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime/debug"
)

// EnvServe is the environment variable that makes Judge answer the mutator on its standard input and output.
const EnvServe = "KITH_MUTANTS_SERVE"

// A Case is one question that a judge puts to the packages under test. Its answer must not depend on the cases before it, on
// the time or on chance, and it must not leave goroutines behind: a mutant is judged only by those cases that execute its
// place without it.
type Case struct {
	Name string

	// Run returns an error if it notices that something is wrong. A panic counts as one.
	Run func() error
}

// A Request asks a judge for one run. Without Cases it asks for the baseline: all cases, with what each executes.
type Request struct {
	Mutant uint32 `json:"mutant"` // the mutant to turn on; 0: none

	// Cases are the cases to run, until one notices.
	Cases []Asked `json:"cases,omitempty"`
}

// Asked is one case of a Request.
type Asked struct {
	Case  int    `json:"case"`            // its index
	Limit uint64 `json:"limit,omitempty"` // places that it may execute before it counts as running away; 0: any number
}

// An Answer is what a judge says to a Request.
type Answer struct {
	Mutant uint32 `json:"mutant"`

	// Killer is the name of the case that noticed, or empty; How is "answer", "panic" or "runaway", and Text says more.
	Killer string `json:"killer,omitempty"`
	How    string `json:"how,omitempty"`
	Text   string `json:"text,omitempty"`

	// Init are the places that were executed before the first case, and Baseline is the run without a mutant.
	Init     []uint32 `json:"init,omitempty"`
	Baseline []Ran    `json:"baseline,omitempty"`
}

// A Ran is one case of the baseline: how many places it executed, and which, each by its first mutant.
type Ran struct {
	Name   string   `json:"name"`
	Steps  uint64   `json:"steps"`
	Places []uint32 `json:"places"`
}

// Judge runs the cases and ends the program. Started by hand it runs them all, with the mutant of the environment, and exits
// with 1 if one notices anything; started by the mutator it answers its requests.
func Judge(cases []Case) {
	if os.Getenv(EnvServe) != "" {
		if err := serve(cases); err != nil {
			fmt.Fprintln(os.Stderr, "mutants:", err)
			os.Exit(2)
		}
		os.Exit(0)
	}
	code := 0
	for _, c := range cases {
		if how, text := run(c); how != "" {
			fmt.Printf("%s: %s: %s\n", c.Name, how, text)
			code = 1
		}
	}
	os.Exit(code)
}

func serve(cases []Case) error {
	out := json.NewEncoder(os.Stdout)
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	os.Stdout = null // what a case prints is not an answer
	init := take()
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		var r Request
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			return err
		}
		answer := Answer{Mutant: r.Mutant}
		if len(r.Cases) == 0 {
			answer.Init = init
		}
		answer.ask(cases, r)
		if err := out.Encode(answer); err != nil {
			return err
		}
	}
	return in.Err()
}

// ask does what r says and writes down what came of it.
func (a *Answer) ask(cases []Case, r Request) {
	chosen = r.Mutant
	defer func() { chosen = 0 }()
	asked := r.Cases
	if len(asked) == 0 {
		for i := range cases {
			asked = append(asked, Asked{Case: i})
		}
	}
	for _, ask := range asked {
		c := cases[ask.Case]
		steps, limit = 0, cmp.Or(ask.Limit, math.MaxUint64)
		how, text := run(c)
		if steps > limit {
			how, text = "runaway", runaway{}.Error() // whoever recovered the panic and whatever the case made of it
		}
		limit = math.MaxUint64
		if how != "" {
			a.Killer, a.How, a.Text = c.Name, how, text
			return
		}
		if len(r.Cases) == 0 {
			a.Baseline = append(a.Baseline, Ran{Name: c.Name, Steps: steps, Places: take()})
		}
	}
}

// take returns the places executed since it was last called.
func take() []uint32 {
	var places []uint32
	for i, yes := range visited {
		if yes {
			places = append(places, uint32(i))
		}
	}
	clear(visited[:])
	return places
}

// run runs one case on a goroutine of its own, which the case may end as a test does. It returns how the case noticed
// something, or nothing.
func run(c Case) (how, text string) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		how, text = "answer", "the case ended its goroutine"
		defer func() {
			r := recover()
			if r == nil {
				return
			}
			how, text = "panic", fmt.Sprint(r)
			if os.Getenv(EnvServe) == "" {
				text += "\n" + string(debug.Stack())
			}
		}()
		if err := c.Run(); err != nil {
			text = err.Error()
			return
		}
		how, text = "", ""
	}()
	<-done
	return how, text
}
