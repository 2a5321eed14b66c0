package importrules

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

const module = "kith"

// A breach is one place that breaks a rule.
type breach struct {
	at, what, why string
}

func (b breach) String() string { return b.at + ": " + b.what + "\n\twhy not: " + b.why }

type checker struct {
	fsys    fs.FS
	fset    *token.FileSet
	found   []breach
	clocked []string // files of internal/udp that read the clock
	files   int
}

// check reads every Go file of the main module, whatever its build constraints, and go.mod.
func check(fsys fs.FS) (*checker, error) {
	c := &checker{fsys: fsys, fset: token.NewFileSet()}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return c.folder(name)
		case strings.HasSuffix(name, ".go"):
			return c.file(name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(c.clocked) > 1 {
		c.breach("internal/udp", "the clock is read in "+strings.Join(c.clocked, " and "), whyClock)
	}
	return c, c.goMod()
}

func (c *checker) breach(at, what, why string) { c.found = append(c.found, breach{at, what, why}) }

func (c *checker) folder(name string) error {
	base := path.Base(name)
	if name == "." {
		return nil
	}
	if base[0] == '.' || base[0] == '_' || base == "testdata" || base == "node_modules" || base == "out" {
		return fs.SkipDir
	}
	if _, err := fs.Stat(c.fsys, path.Join(name, "go.mod")); err == nil {
		return fs.SkipDir // another module
	}
	if slices.Contains(badNames, base) {
		c.breach(name, "a folder is called "+base, "the name says nothing, so everything ends up in it; name it after what it does")
	}
	return nil
}

func roomOf(dir string) (room, bool) {
	var best room
	for _, r := range rooms {
		if within(dir, r.dir) && len(r.dir) > len(best.dir) {
			best = r
		}
	}
	return best, best.dir != ""
}

// within reports whether the slash-separated path p is dir or stands below it.
func within(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

func withinAny(p string, dirs ...[]string) bool {
	return slices.ContainsFunc(slices.Concat(dirs...), func(d string) bool { return within(p, d) })
}

func (c *checker) file(name string) error {
	c.files++
	src, err := fs.ReadFile(c.fsys, name)
	if err != nil {
		return err
	}
	f, err := parser.ParseFile(c.fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	dir, test := path.Dir(name), strings.HasSuffix(name, "_test.go")
	for own, why := range ownModules {
		if within(dir, own) {
			c.breach(name, own+" belongs to the main module", why+"; it needs a go.mod of its own")
			return nil
		}
	}
	r, ok := roomOf(dir)
	if !ok {
		c.breach(name, "the folder "+dir+" has no row in the table of rooms", "a new folder says first what it may know")
		return nil
	}
	names := map[string]string{} // what the file calls a package → its path
	for _, spec := range f.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		c.imports(c.fset.Position(spec.Pos()).String(), r, p, test)
		called := path.Base(p)
		if called == "v2" || called == "v6" {
			called = path.Base(path.Dir(p))
		}
		if spec.Name != nil {
			called = spec.Name.Name
		}
		if called == "." && (p == "time" || p == "crypto/rand" || p == "math/rand/v2" || p == module+"/wire") {
			c.breach(c.fset.Position(spec.Pos()).String(), "a dot import of "+p, "it hides which of its names are used from the reader and from this test")
		}
		names[called] = p
	}
	c.uses(f, name, r, names, test)
	return nil
}

// imports judges one import of a file in room r.
func (c *checker) imports(at string, r room, p string, test bool) {
	first, _, _ := strings.Cut(p, "/")
	switch {
	case p == module || within(p, module):
		own := strings.TrimPrefix(p, module+"/")
		extra := []string(nil)
		if test {
			extra = r.testOurs
		}
		if !within(own, r.dir) && !withinAny(own, r.ours, extra) {
			c.breach(at, fmt.Sprintf("%s imports %s", r.dir, p), r.why)
		}
	case strings.Contains(first, "."):
		extra := []string(nil)
		if test {
			extra = slices.Concat(r.testMods, testMods)
		}
		if !withinAny(p, r.mods, extra) {
			c.breach(at, fmt.Sprintf("%s imports %s", r.dir, p), r.why)
		}
	default:
		why, banned := pureBans[p]
		if p != "net/netip" && strings.HasPrefix(p, "net/") || strings.HasPrefix(p, "os/") || strings.HasPrefix(p, "sync/") {
			why, banned = sansIO, true
		}
		if r.pure && banned && !test {
			c.breach(at, fmt.Sprintf("%s imports %s", r.dir, p), why)
		}
	}
}

// uses judges what a file takes out of the packages that it imports.
func (c *checker) uses(f *ast.File, name string, r room, names map[string]string, test bool) {
	var stack []ast.Node
	reads, virtual := false, false // a file that uses synctest sleeps in virtual time
	for _, p := range names {
		virtual = virtual || test && p == "testing/synctest"
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		stack = append(stack, n)
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		id, ok := sel.X.(*ast.Ident)
		if !ok {
			return true
		}
		p, got, at := names[id.Name], sel.Sel.Name, c.fset.Position(n.Pos()).String()
		use := path.Base(p) + "." + got
		switch p {
		case "time":
			switch {
			case got == "Sleep" && virtual:
			case got == "Sleep":
				c.breach(at, r.dir+" calls "+use, whySleep)
			case slices.Contains(clockReads, got) && r.dir == "internal/udp" && !test:
				reads = true
			case slices.Contains(clockReads, got) && (!test || r.pure):
				c.breach(at, r.dir+" calls "+use, whyClock)
			case slices.Contains(clockWaits, got) && r.pure && !test:
				c.breach(at, r.dir+" calls "+use, sansIO)
			}
		case "crypto/rand":
			if r.pure && !test && !(got == "Reader" && insteadOfNil(stack)) {
				c.breach(at, r.dir+" uses crypto/"+use, whyRand)
			}
		case "math/rand/v2":
			if r.pure && !test && !slices.Contains(seeded, got) {
				c.breach(at, r.dir+" uses math/rand/v2's "+got, "it draws from a generator that no seed can repeat")
			}
		case module + "/wire":
			if within(r.dir, "conformance") && !test && (strings.HasPrefix(got, "Parse") || strings.HasPrefix(got, "Check")) {
				c.breach(at, r.dir+" calls "+use, whyJudge)
			}
		}
		return true
	})
	if reads {
		c.clocked = append(c.clocked, name)
	}
}

// insteadOfNil reports whether the innermost if around a node is entered only when something called Rand is nil.
func insteadOfNil(stack []ast.Node) bool {
	for _, n := range slices.Backward(stack) {
		branch, ok := n.(*ast.IfStmt)
		if !ok {
			continue
		}
		cond, ok := branch.Cond.(*ast.BinaryExpr)
		if !ok || cond.Op != token.EQL {
			return false
		}
		null, ok := cond.Y.(*ast.Ident)
		if !ok || null.Name != "nil" || !slices.Contains(stack, ast.Node(branch.Body)) {
			return false
		}
		switch x := cond.X.(type) {
		case *ast.SelectorExpr:
			return x.Sel.Name == "Rand"
		case *ast.Ident:
			return x.Name == "rand" || x.Name == "random"
		}
		return false
	}
	return false
}

// goMod judges the requirements of the main module.
func (c *checker) goMod() error {
	src, err := fs.ReadFile(c.fsys, "go.mod")
	if err != nil {
		return err
	}
	block := false
	for i, line := range strings.Split(string(src), "\n") {
		text, comment, _ := strings.Cut(line, "//")
		words := strings.Fields(text)
		switch {
		case len(words) == 0:
			continue
		case words[0] == "require" && len(words) > 1 && words[1] == "(":
			block = true
			continue
		case words[0] == ")":
			block = false
			continue
		case words[0] == "require":
			words = words[1:]
		case words[0] == "replace":
			c.breach(fmt.Sprintf("go.mod:%d", i+1), "a replace directive", "who installs kith with the go command would get another program than who builds it here")
			continue
		case !block:
			continue
		}
		if _, known := modules[words[0]]; !known && strings.TrimSpace(comment) != "indirect" {
			c.breach(fmt.Sprintf("go.mod:%d", i+1), "main requires "+words[0],
				"each dependency has its reason in the table of modules; other people's nodes and codecs belong to bench/ and conformance/interop/")
		}
	}
	return nil
}
