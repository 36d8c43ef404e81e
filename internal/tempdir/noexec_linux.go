package tempdir

import "golang.org/x/sys/unix"

// noexec says whether the file system that place is on lets no program run.
func noexec(place string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(place, &fs) == nil && fs.Flags&unix.ST_NOEXEC != 0
}
