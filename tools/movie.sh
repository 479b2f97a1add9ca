#!/usr/bin/env bash
# Makes a movie from the pictures of a run, in the order of their names:
#
#     tools/movie.sh results/learning/insitu/density_*.png density.mp4
#     tools/movie.sh --rate 10 results/learning/insitu/weights_*.png weights.gif
#
# The ending of the last name says whether it is an MP4 (H.264, for every browser and slide) or a
# GIF. --rate is in pictures a second, 25 unless given; --force replaces a file that is there.

set -euo pipefail

rate=25
force=
fail() {
    echo "movie.sh: error: $*" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
    --rate)
        rate=${2:-}
        [[ $rate =~ ^[0-9]+([.][0-9]+)?$ ]] || fail "--rate wants a number, not '$rate'"
        shift 2
        ;;
    --force)
        force=yes
        shift
        ;;
    -h | --help)
        sed -n '2,8s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    -*) fail "unknown option $1; see movie.sh --help" ;;
    *) break ;;
    esac
done

[ $# -ge 2 ] || fail "wants pictures and, as the last word, the movie; see movie.sh --help"
pictures=("${@:1:$#-1}")
movie=${!#}
command -v ffmpeg >/dev/null || fail "no ffmpeg here; on Debian: apt install ffmpeg"
[[ $movie == *.mp4 || $movie == *.gif ]] || fail "$movie: a movie ends in .mp4 or .gif"
[ -n "$force" ] || [ ! -e "$movie" ] || fail "$movie: exists; --force replaces it"
for picture in "${pictures[@]}"; do
    [ -s "$picture" ] || fail "$picture: no such picture"
    [[ $picture == *.png ]] || fail "$picture: a picture ends in .png"
done

# The pictures under numbers without gaps: steps have gaps, and the list may be of any length.
links=$(mktemp -d)
trap 'rm -rf "$links"' EXIT
number=0
for picture in "${pictures[@]}"; do
    ln -s "$(realpath "$picture")" "$links/$(printf '%08d' "$number").png"
    number=$((number + 1))
done

# H.264 wants even numbers of pixels; a GIF its own 256 colours, or it shows bands.
even='pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white'
palette='split[a][b];[a]palettegen=stats_mode=full[p];[b][p]paletteuse=dither=none'
# In the same folder and under another name until it is whole.
part=$(mktemp --tmpdir="$(dirname "$movie")" --suffix=".${movie##*.}" .movie.XXXXXX)
trap 'rm -rf "$links" "$part"' EXIT
options=(-vf "$even" -c:v libx264 -pix_fmt yuv420p -crf 18 -movflags +faststart)
[[ $movie == *.mp4 ]] || options=(-filter_complex "$palette" -loop 0)
ffmpeg -hide_banner -loglevel error -nostdin -y -framerate "$rate" -i "$links/%08d.png" \
    "${options[@]}" "$part" || fail "ffmpeg cannot make $movie of these pictures"
chmod 644 "$part"
mv "$part" "$movie"
echo "$movie: $number pictures, $rate a second"
