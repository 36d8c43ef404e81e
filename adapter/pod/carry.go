package pod

import (
	"context"
	"path"
	"strings"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

// Where the container has no shell, another one of the same pod carries the helper in: an
// ephemeral container of an image with a shell, with the same user and rights. It has the
// same volumes, and sees the container's processes and, by the first of them, the rest of
// its files.

// otherRoot is the container's root as its carrier sees it.
const otherRoot = "/proc/1/root"

// carrier stays until what it brings is where it should be, $1 or another argument, or for
// five minutes.
const carrier = `i=0
while [ $i -lt 300 ]; do
  i=$((i + 1)); sleep 1
  for f; do [ -x "$f" ] && exit; done
done`

// carry brings the helper into a container that has no shell.
func (t *Target) carry(ctx context.Context) (none placed, err error) {
	if t.DebugImage == "" {
		return none, fault.NoShell(t.container.String(), withShell(t.container.Image()))
	}
	var places, programs []string
	for _, place := range t.where() {
		place = t.beside(place)
		places = append(places, place)
		for _, b := range t.binaries() {
			programs = append(programs, b.in(path.Join(place, folder)).helper)
		}
	}
	beside, err := t.carrier(ctx, "%s has no shell: a container of the image %s beside it carries the helper in.", programs...)
	if err != nil {
		return none, err
	}
	found, err := t.survey(ctx, beside, places)
	if err != nil {
		return none, t.execFault(err)
	}
	// The carrier may end before it can tell that all went well, so the container is
	// asked, too.
	dir, err := t.store(ctx, beside, found)
	there, lookErr := t.lookWithoutShell(ctx)
	switch {
	case lookErr != nil:
		return none, lookErr
	case there.dir != "":
		return there, nil
	case err != nil:
		return none, err
	}
	return none, fault.NotCarried(t.container.String(), dir)
}

// beside is a path in the container as a carrier has it.
func (t *Target) beside(path string) string {
	for _, v := range t.container.Shared() {
		if path == v || strings.HasPrefix(path, v+"/") {
			return path
		}
	}
	return otherRoot + path
}

// carrier starts a container that ends when one of the programs is there. The user is told
// before that why it is made, in which are the container and the image.
func (t *Target) carrier(ctx context.Context, why string, programs ...string) (Runner, error) {
	if t.say != nil {
		t.say(why+" It ends at once, but stays listed in the pod as long as that lives.\n", t.container, t.DebugImage)
	}
	t.progress("starting a container of %s", t.DebugImage)
	return t.container.Beside(ctx, t.DebugImage, append([]string{"sh", "-c", carrier, "sh"}, programs...))
}

// withShell guesses an image like the given one that has a shell: Istio publishes both.
func withShell(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if plain, ok := strings.CutSuffix(image, "-distroless"); ok {
		return plain
	}
	return "busybox"
}

// lookWithoutShell finds the helper by trying to run it wherever it can be.
func (t *Target) lookWithoutShell(ctx context.Context) (there placed, err error) {
	type answer struct {
		placed
		err error
	}
	var tries []placed
	for _, place := range t.where() {
		for _, b := range t.binaries() {
			tries = append(tries, b.in(path.Join(place, folder)))
		}
	}
	answers := make(chan answer, len(tries))
	for _, p := range tries {
		go func() {
			_, err := t.ask(ctx, p, wordHas, p.helper)
			answers <- answer{p, err}
		}()
	}
	for range tries {
		switch a := <-answers; {
		case a.err == nil:
			there = a.placed
		case !t.container.NoProgram(a.err):
			err = t.execFault(a.err)
		}
	}
	if there.dir != "" {
		return there, nil
	}
	return there, err
}
