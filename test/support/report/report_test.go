package report

import (
	"testing"
	"time"
)

func TestReplaceKeepsWhatIsAroundTheMarkers(t *testing.T) {
	page := "before\n<!-- begin a: by make bench -->\nold\n<!-- end a -->\nafter\n"
	got, err := replace(page, "a", "\nnew\n")
	if want := "before\n<!-- begin a: by make bench -->\nnew\n<!-- end a -->\nafter\n"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if again, err := replace(got, "a", "new"); err != nil || again != got {
		t.Errorf("the second time: %q, %v", again, err)
	}
	for _, broken := range []string{"", "<!-- begin a -->\n", "<!-- end a -->"} {
		if _, err := replace(broken, "a", "new"); err == nil {
			t.Errorf("no error for the page %q", broken)
		}
	}
}

func TestTableIsAligned(t *testing.T) {
	got := Table(1, []string{"what", "n"}, [][]string{{"é", "1000"}})
	want := "| what |    n |\n|------|-----:|\n| é    | 1000 |\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestQuantile(t *testing.T) {
	values := []time.Duration{5, 1, 3, 2, 4}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 3, 0.99: 5, 1: 5} {
		if got := Quantile(values, q); got != want {
			t.Errorf("quantile %v is %d, want %d", q, got, want)
		}
	}
	if values[0] != 5 || Quantile(nil, 0.5) != 0 {
		t.Error("the values were reordered, or none is not 0")
	}
}
