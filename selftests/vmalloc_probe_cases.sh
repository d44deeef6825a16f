#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# What a storm's cases allocate, seen while they do it.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/functions.sh
. "$here/functions.sh"
# shellcheck source=selftests/vmalloc_probe.sh
. "$here/vmalloc_probe.sh"
need_module vmalloc_probe
vp_load
! areas_are_hidden || skip_all "this kernel hides its areas"

# watch CASE CONDITION: during a storm, look at the areas until awk's CONDITION is
# true of what was seen up to then: all areas of the module, sizes by kind, all
# different sizes and the longest in pages, areas at a multiple of 1 MiB, and most
# blocks of vm_map_ram(), also before. Then end the storm; nothing may be left.
watch()
{
	before=$(ram_blocks)
	begin_storm "$1"
	awk -v file=$vp_dir/areas -v page="$(page_size)" -v before="$before" '
		function look(   word, pages, blocks) {
			while ((getline line <file) > 0) {
				split(line, word, " ")
				if (word[1] != "area")
					continue
				pages = substr(word[3], 6) / page
				if (word[4] == "kind=vm_map_ram")
					blocks += pages > 100 && pages % 8 == 0
				if (line !~ /\[vmalloc_probe\]/)
					continue
				all++
				pages--
				if (!seen[word[4], pages]++)
					sizes[word[4]]++
				different += !any[pages]++
				if (pages > longest)
					longest = pages
				aligned += substr(word[2], 4) % 1048576 == 0
			}
			close(file)
			if (blocks > ram)
				ram = blocks
		}
		BEGIN {
			for (i = 0; i < 200; i++) {
				look()
				if ('"$2"')
					exit 0
			}
			printf "# %d areas, %d sizes up to %d pages, %d aligned, %d vm_map_ram\n", \
				all, different, longest, aligned, ram
			exit 1
		}'
	result=$?
	end_storm
	[ $result = 0 ] || fail "$1 is not to be seen"
	no_own_areas
}

# What each case is named after is what it does.
mixed_does_all()
{
	watch mixed 'sizes["kind=vmalloc"] > 9 && sizes["kind=vmap"] > 4 && ram > before'
}
random_is_random() { watch random_size 'different > 9'; }
# where the kernel does not align, a larger area is cut
align_aligns() { watch align 'longest > 16 || (all > 60 && aligned > all / 20)'; }

# fills CASE: it first takes areas by the thousand, which fill a range of 32 bits,
# and then nobody can start a process.
fills()
{
	case $(field range size) in
	?????????????*) ;;
	*) skip "a range of $(field range size) bytes is too small" ;;
	esac
	begin_storm "$1"
	tries=0
	until awk '/\[vmalloc_probe\]$/ { sub("areas=", "", $2); n += $2 } END { exit n < 500 }' $vp_dir/callers; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || break
	done
	end_storm
	[ $tries -lt 100 ] || fail "$1 takes few areas"
	no_own_areas
}
full_fit_fills() { fills full_fit; }
long_busy_fills() { fills long_busy; }

unloads() { unload vmalloc_probe; }

run_cases \
	"mixed does all of it:mixed_does_all" \
	"random sizes are random:random_is_random" \
	"align aligns:align_aligns" \
	"full_fit fills:full_fit_fills" \
	"long_busy fills:long_busy_fills" \
	"unloads:unloads"
