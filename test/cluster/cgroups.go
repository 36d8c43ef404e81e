package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// group is the control group below which the kubelet puts the pods. The name is the
// state's own: a kubelet removes whatever else it finds there.
func (s state) group() string {
	return fmt.Sprintf("envoydbg-%.4x", sha256.Sum256([]byte(s)))
}

// hierarchies are the folders of the control groups: one for each controller, or
// one for all with version 2.
func hierarchies() ([]string, error) {
	const root = "/sys/fs/cgroup"
	var at unix.Statfs_t
	if err := unix.Statfs(root, &at); err != nil {
		return nil, err
	}
	if at.Type == unix.CGROUP2_SUPER_MAGIC {
		return []string{root}, nil
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		// "cpu,cpuacct" has links "cpu" and "cpuacct" to it.
		if e.IsDir() {
			found = append(found, filepath.Join(root, e.Name()))
		}
	}
	return found, nil
}

// makeGroups makes the group in each hierarchy. The kubelet does so only below it.
func makeGroups(group string) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		if err := os.MkdirAll(filepath.Join(root, group), 0o755); err != nil {
			return err
		}
		// A new group has no processor of its own with version 1.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			value, err := os.ReadFile(filepath.Join(root, file))
			if err != nil {
				continue
			}
			if err := os.WriteFile(filepath.Join(root, group, file), value, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeGroups removes the group from each hierarchy once its processes have
// ended. The kernel lets go of a group a moment after its last process.
func removeGroups(group string, limit time.Duration) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		var left error
		for _, root := range roots {
			left = errors.Join(left, removeGroup(filepath.Join(root, group)))
		}
		if left == nil || time.Now().After(deadline) {
			return left
		}
	}
}

func removeGroup(path string) error {
	var folders []string
	err := filepath.WalkDir(path, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && e.IsDir() {
			folders = append(folders, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, folder := range slices.Backward(folders) {
		if err := unix.Rmdir(folder); err != nil && err != unix.ENOENT {
			return fmt.Errorf("control group %s: %w", folder, err)
		}
	}
	return nil
}
