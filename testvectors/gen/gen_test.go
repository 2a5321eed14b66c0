package gen

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is committed must be what the generator writes, byte for byte: nobody edits a vector until a test passes.
func TestFilesAreWhatIsGenerated(t *testing.T) {
	want := Files()
	for name, content := range want {
		got, err := os.ReadFile(filepath.Join("..", name))
		require.NoError(t, err)
		require.True(t, string(content) == string(got), "%s is not what gen writes: run go generate ./testvectors", name)
	}
	found, err := filepath.Glob("../*.json")
	require.NoError(t, err)
	require.Len(t, found, len(want), "each file comes from gen")
}

func TestGeneratingTwiceIsTheSame(t *testing.T) {
	require.Equal(t, Files(), generate())
}

// The generator's own reader is the judge of what is written, so it is judged here by what needs no reader.
func TestJudge(t *testing.T) {
	for _, good := range []string{"i0e", "i-5e", "0:", "3:abc", "le", "de", "d1:ale1:bdee", "li1ei1ee"} {
		require.Empty(t, judge(good), good)
	}
	for _, bad := range []string{"", "i", "ie", "i01e", "i-0e", "01:a", "2:a", "l", "d", "d1:ae", "d1:bi1e1:ai1ee", "d1:ai1e1:ai1ee", "i0ex", "x", "di1ei1ee", "i9223372036854775808e"} {
		require.Equal(t, malformed, judge(bad), bad)
	}
}
