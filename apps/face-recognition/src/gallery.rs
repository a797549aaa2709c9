//! The people whom the app knows, each by a photograph.
//!
//! The photographs are part of the program, and a descriptor is made of them when the recogniser is initialised: a
//! server, which is the same program, can do that as well as the device. They are PNG files because a JPEG decoder may
//! round differently from machine to machine. Where they come from, and that some are derived from the very photograph
//! they are found on, is written down in `assets/photos/SOURCE.md`.

use outboard::State;
use serde::{Deserialize, Serialize};

use crate::vision::{Descriptor, Distance, Face, Photo, extract, faces_on};

/// A name, and the bytes of a PNG file with that person's face.
type Portrait = (&'static str, &'static [u8]);

const PORTRAITS: [Portrait; 4] = [
    ("Buzz Aldrin", include_bytes!("../../../assets/photos/gallery/buzz-aldrin.png")),
    ("Eileen Collins", include_bytes!("../../../assets/photos/gallery/eileen-collins.png")),
    ("Grace Hopper", include_bytes!("../../../assets/photos/gallery/grace-hopper.png")),
    ("Neil Armstrong", include_bytes!("../../../assets/photos/gallery/neil-armstrong.png")),
];

/// Faces further apart than this are of different people. On the committed photographs the same person is at most
/// 0.18 away, another one at least 0.43; the test `people_keep_their_distance` keeps it so.
const FURTHEST_MATCH: Distance = Distance::new(0.3);

/// Somebody whom the app knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, State)]
pub(crate) struct Known {
    pub(crate) name: String,
    descriptor: Descriptor,
}

/// Whose face it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, State)]
pub(crate) enum Match {
    /// The nearest person of the gallery, near enough.
    Person { name: String, distance: Distance },
    /// Nobody of the gallery is near enough; the distance of the nearest, if there is anybody at all.
    Unknown { nearest: Option<Distance> },
}

/// Enrols everybody: finds the face on each portrait and describes it.
pub(crate) fn enrol() -> Vec<Known> {
    PORTRAITS
        .iter()
        .map(|(name, file)| Known { name: (*name).to_owned(), descriptor: described(file) })
        .collect()
}

/// The person of the gallery whose face comes nearest to this one in any pose.
pub(crate) fn find(gallery: &[Known], face: &Face) -> Match {
    let poses = Descriptor::of_every_pose(face);
    let distance_to = |known: &Known| {
        let distances = poses.iter().map(|pose| pose.distance(&known.descriptor));
        distances.min_by(|a, b| a.as_f64().total_cmp(&b.as_f64())).expect("a face has poses")
    };
    let nearest = gallery
        .iter()
        .map(|known| (distance_to(known), known))
        .min_by(|(a, _), (b, _)| a.as_f64().total_cmp(&b.as_f64()));
    match nearest {
        Some((distance, known)) if distance <= FURTHEST_MATCH => {
            Match::Person { name: known.name.clone(), distance }
        }
        other => Match::Unknown { nearest: other.map(|(distance, _)| distance) },
    }
}

fn described(file: &[u8]) -> Descriptor {
    let picture = image::load_from_memory(file).expect("the portraits were checked when they were committed");
    let portrait = Photo::from_colour(&picture.to_rgb8());
    let surest = faces_on(&portrait).into_iter().max_by(|a, b| a.score.total_cmp(&b.score));
    Descriptor::of(&extract(&portrait, surest.expect("every portrait shows a face")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture;

    fn faces_of(name: &str) -> Vec<Face> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/photos/");
        let opened = picture::open(format!("{folder}{name}.jpg").as_ref()).expect("a committed photograph");
        let photo = Photo::from_colour(&opened);
        faces_on(&photo).into_iter().map(|found| extract(&photo, found)).collect()
    }

    fn people_on(photo: &str) -> Vec<Match> {
        let gallery = enrol();
        faces_of(photo).iter().map(|face| find(&gallery, face)).collect()
    }

    fn names(matches: &[Match]) -> Vec<&str> {
        fn name(found: &Match) -> &str {
            match found {
                Match::Person { name, .. } => name,
                Match::Unknown { .. } => "unknown",
            }
        }
        matches.iter().map(name).collect()
    }

    #[test]
    fn a_person_is_known_from_another_picture() {
        assert_eq!(names(&people_on("eileen-collins")), ["Eileen Collins"]);
        assert_eq!(names(&people_on("grace-hopper")), ["Grace Hopper"]);
    }

    #[test]
    fn among_three_people_the_one_who_is_not_enrolled_stays_unknown() {
        assert_eq!(names(&people_on("apollo-11-crew")), ["Neil Armstrong", "unknown", "Buzz Aldrin"]);
    }

    #[test]
    fn people_keep_their_distance() {
        for found in
            ["eileen-collins", "grace-hopper", "apollo-11-crew"].iter().flat_map(|photo| people_on(photo))
        {
            match found {
                Match::Person { distance, .. } => assert!(distance.as_f64() < 0.2, "{distance:?}"),
                Match::Unknown { nearest } => {
                    assert!(nearest.is_some_and(|d| d.as_f64() > 0.4), "{nearest:?}")
                }
            }
        }
    }

    #[test]
    fn an_empty_gallery_knows_nobody() {
        let faces = faces_of("eileen-collins");
        assert_eq!(find(&[], &faces[0]), Match::Unknown { nearest: None });
    }

    #[test]
    fn a_person_who_is_not_enrolled_stays_unknown() {
        let gallery: Vec<Known> =
            enrol().into_iter().filter(|known| known.name != "Eileen Collins").collect();
        let faces = faces_of("eileen-collins");
        assert!(matches!(find(&gallery, &faces[0]), Match::Unknown { nearest: Some(_) }));
    }
}
