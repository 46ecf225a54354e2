# rehearsal.sh PLACE DIRECTORY...: shows copies in the place of these directories, to this process and to whatever enters its mount
# namespace, until standard input ends. The copies are in memory, and go with the namespace.
set -eu
place=$1
shift
# Whoever started this may be gone before it is ready.
trap '' PIPE
mount -t tmpfs -o mode=0700 tmpfs "$place"
trap 'umount -l "$place"; rmdir "$place"' EXIT
for directory in "$@"; do
	[ -d "$directory" ] || continue
	mkdir -p "$place/copies$directory"
	cp -a "$directory/." "$place/copies$directory"
	mount --bind "$place/copies$directory" "$directory"
done
echo ready
cat >/dev/null
