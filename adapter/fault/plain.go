package fault

import (
	"errors"
	"os"
	"regexp"
)

// What follows turns errors into words for people. Some come as text from the helper,
// so it is done by their text. The system's own words ("no such file or directory")
// stay; the names of Go's functions and packages go.
var wording = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`jsonrpc2: code -?\d+ message: `), ""},
	{regexp.MustCompile(`jsonrpc2: `), ""},
	{regexp.MustCompile(`\b(?:open|openat|stat|lstat|statfs|fork/exec|readlink|readdirent|mkdir|mkdirat|chmod|chown|remove|unlinkat|rename|symlink|link|truncate|read|write|close|seek|mmap|access) ((?:/|\./|\.\./|\|)[^:\n]*: )`), "$1"},
	{regexp.MustCompile(`\bexec: "([^"\n]*)": `), "$1: "},
	{regexp.MustCompile(`executable file not found in \$PATH`), "not in PATH"},
	{regexp.MustCompile(`\b(?:dial|listen|accept|read|write|close) (?:tcp|unix)\w*(?: \S+->\S+)?:? `), ""},
	{regexp.MustCompile(`\b(?:bind|connect|accept4?|listen|pipe2|socket|fork|clone|wait4?|waitid|sendmsg|recvmsg|inotify_\w+): `), ""},
	{regexp.MustCompile(`(?:io: read/write on closed pipe|use of closed (?:network connection|file)|connection is closed|session shutdown|stream (?:closed|reset)|file already closed)`), "the connection was closed"},
	{regexp.MustCompile(`keepalive timeout`), "there was no answer in time"},
	{regexp.MustCompile(`\bunexpected EOF\b`), "it ended too early"},
	{regexp.MustCompile(`\bEOF\b`), "the other side has ended"},
	{regexp.MustCompile(`strconv\.\w+: parsing ("[^"\n]*"): invalid syntax`), "$1 is not valid here"},
	{regexp.MustCompile(`strconv\.\w+: parsing ("[^"\n]*"): value out of range`), "$1 is out of range"},
	{regexp.MustCompile(`(?:json: )?invalid character ('[^\n]*?') (?:looking|in|after)[^\n]*`), "$1 does not belong there in JSON"},
	{regexp.MustCompile(`unexpected end of JSON input`), "the JSON ends too early"},
	{regexp.MustCompile(`json: cannot unmarshal (\w+) [^\n]*`), "a $1 does not belong there"},
	{regexp.MustCompile(`json: `), ""},
	{regexp.MustCompile(`(?:error converting YAML to JSON: )?yaml: `), "YAML: "},
	{regexp.MustCompile(`\bcontext canceled\b`), "it was cancelled"},
	{regexp.MustCompile(`\b(?:context deadline exceeded|i/o timeout)\b`), "there was no answer in time"},
}

// Plain is an error in words for people.
func Plain(err error) string { return text(err) }

// WithoutPath is an error of the file system without the path, where the text around it
// names that.
func WithoutPath(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// plain is text without what only Go programmers understand.
func plain(text string) string {
	for _, w := range wording {
		text = w.from.ReplaceAllString(text, w.to)
	}
	return text
}

// text is an error in plain words.
func text(err error) string {
	if err == nil {
		return ""
	}
	return plain(err.Error())
}
