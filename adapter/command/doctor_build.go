package command

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/pod"
	"github.com/envoydbg/envoydbg/internal/elffile"
	"github.com/envoydbg/envoydbg/kube"
)

// proxySHA is the variable in which Istio's images say from which commit of the proxy
// they were made: "istio-proxy:1f2e3d4…".
const proxySHA = "ISTIO_META_ISTIO_PROXY_SHA"

// begin prints the size of a file in a line, and its beginning.
const begin = `[ -r "$1" ] || { echo missing; exit 0; }
stat -L -c %s "$1" && head -c 65536 "$1"`

// remoteELF is the Envoy in a container, as far as the beginning of its file tells: linkers
// put the build-id there. Nothing is brought into the container for it.
func remoteELF(ctx context.Context, in pod.Runner, path string) (buildID, machine string, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	var out bytes.Buffer
	if err := in.Exec(ctx, []string{"sh", "-c", begin, "sh", path}, nil, &out); err != nil {
		return "", "", err
	}
	line, content, found := bytes.Cut(out.Bytes(), []byte("\n"))
	size, err := strconv.ParseInt(string(line), 10, 64)
	if !found || err != nil {
		return "", "", fault.BadEnvoyPath(path, "there is no such file in the container, or its user may not read it")
	}
	f, err := elffile.New(bytes.NewReader(content), size)
	if err != nil {
		return "", "", err
	}
	buildID, err = f.BuildID()
	return buildID, map[string]string{"EM_X86_64": "amd64", "EM_AARCH64": "arm64"}[f.Machine.String()], err
}

// sameBuild compares the local program with the Envoy in the container.
// said is what the image says of its commit.
func sameBuild(ctx context.Context, in pod.Runner, path, said string, local *localELF) kube.Finding {
	f := kube.Finding{Check: "build", State: kube.Unknown}
	id, machine, err := remoteELF(ctx, in, path)
	var told *fault.Fault
	switch {
	case asFault(err, &told):
		return failure(f.Check, told)
	case err != nil:
		f.What, f.Why = fmt.Sprintf("%s cannot be read: %v", path, err), "the session will compare it with the program"
	case local == nil:
		f.What, f.Why, f.Fix = fmt.Sprintf("%s has build-id %s", path, brief(id)), "there is nothing to compare it with", option("program", "FILE")+" names your unstripped Envoy"
	case machine != local.info.Machine:
		return failure(f.Check, fault.WrongMachine(local.path, local.info.Machine, path, machine))
	case id == "" && local.info.BuildID == "":
		return failure(f.Check, fault.NoBuildID(local.path, path))
	case id != local.info.BuildID:
		f.State, f.What = kube.Failed, fmt.Sprintf("the program has build-id %s, but %s has %s", brief(local.info.BuildID), path, brief(id))
		f.Why = "breakpoints would land on wrong addresses; a session ends with ED1203"
		f.Fix = "set " + fault.Name("program") + " to the unstripped file of the very build that the image has, or build an image from the program"
		if commit := commitOf(said); commit != "" {
			f.Fix = "build commit " + commit + ", of which the image is, as the image was built, and name that file by " + fault.Name("program")
		}
	default:
		f.State, f.What = kube.OK, fmt.Sprintf("the program and %s have build-id %s", path, brief(id))
	}
	return f
}

// commitOf is the commit in a value of proxySHA; empty when there is none.
func commitOf(said string) string {
	commit := said[strings.LastIndexByte(said, ':')+1:]
	if len(commit) < 7 || strings.Trim(commit, "0123456789abcdef") != "" {
		return ""
	}
	return commit
}

// sameCommit compares the commit that the image was made from with the work tree's.
func sameCommit(ctx context.Context, said string, local *localELF) kube.Finding {
	f := kube.Finding{Check: "commit", State: kube.Unknown, Why: "the sources that are shown should be those that were compiled"}
	image := commitOf(said)
	if image == "" {
		f.What = "the image does not say its commit (" + proxySHA + ")"
		return f
	}
	if local == nil || local.tree == "" {
		f.What, f.Fix = "the image is of "+image[:7], option("workTree", "FOLDER")+" names your sources"
		return f
	}
	here, err := git(ctx, local.tree, "rev-parse", "HEAD")
	switch {
	case err != nil || here == "":
		f.What = fmt.Sprintf("the image is of %s; git tells no commit of %s", image[:7], local.tree)
		return f
	case strings.HasPrefix(here, image):
		f.State, f.What, f.Why = kube.OK, fmt.Sprintf("the image and %s are of %s", local.tree, image[:7]), ""
		return f
	}
	if _, err := git(ctx, local.tree, "cat-file", "-e", image+"^{commit}"); err != nil {
		f.What = fmt.Sprintf("the image is of %s, which is no commit in %s", image[:7], local.tree)
		f.Fix = option("workTree", "FOLDER") + " names your sources; if these are they, run git fetch there"
		return f
	}
	f.State, f.What = kube.Warning, fmt.Sprintf("the image is of %s, but %s is at %s", image[:7], local.tree, here[:7])
	f.Fix = fmt.Sprintf("git -C %s checkout %s", local.tree, image)
	return f
}

// git asks git about a work tree.
func git(ctx context.Context, tree string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", tree}, args...)...).Output()
	return strings.TrimSpace(string(out)), err
}
