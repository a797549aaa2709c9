//! Finds the faces on a photograph and says whose they are: on this device, or on an edge server near it.
//!
//! Read this file first. It is the whole app as its author sees it: a type with a few methods, one of which is heavy.
//! What the methods compute is in `vision` and `gallery`; what shows on one machine that offloading pays is in `demo`.
//!
//! The methods call each other as those of MAUI's face recogniser do (Cuervo et al., MobiSys 2010, figure 6):
//!
//! ```text
//!     show_who_is_on            the user interface: stays on the device
//!       └─ find_match
//!            ├─ initialize_face_recognizer     once
//!            ├─ detect_and_extract_faces       heavy
//!            └─ show_progress                  the user interface again: remote code calls back
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program talks to its user")]

mod demo;
mod gallery;
mod options;
mod picture;
mod vision;

use std::process::ExitCode;

use outboard::{State, remoteable};
use serde::{Deserialize, Serialize};

use crate::gallery::{Known, Match};
use crate::vision::{Bounds, Face, Photo};

/// The app's state. It travels with a call and comes back changed, except for the screen, which belongs to the device.
#[derive(Debug, Default, Serialize, Deserialize, State)]
struct Recognizer {
    /// Empty until the first photograph is looked at.
    gallery: Vec<Known>,
    #[serde(skip)]
    screen: Screen,
}

/// What the user looks at while waiting.
#[derive(Debug, Default)]
struct Screen {
    lit: bool,
    /// How often something new was shown.
    updates: u32,
}

/// A face on a photograph, and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, State)]
struct Sighting {
    bounds: Bounds,
    /// How sure the detector is that this is a face; larger is surer.
    score: f64,
    who: Match,
}

/// How far the recogniser has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, State)]
enum Progress {
    PeopleEnrolled(usize),
    FacesFound(usize),
    FacesCompared { done: usize, of: usize },
}

#[remoteable]
impl Recognizer {
    #[outboard::local]
    fn new(lit: bool) -> Self {
        Self { gallery: Vec::new(), screen: Screen { lit, updates: 0 } }
    }

    /// The user interface: it owns the screen, so it runs on the device.
    #[outboard::device]
    fn show_who_is_on(&mut self, photo: &Photo) -> Vec<Sighting> {
        let sightings = self.find_match(photo);
        self.screen.clear();
        sightings
    }

    /// Everybody on the photograph.
    #[remoteable(work = photo.width() * photo.height())]
    fn find_match(&mut self, photo: &Photo) -> Vec<Sighting> {
        if self.gallery.is_empty() {
            self.initialize_face_recognizer();
        }
        let faces = self.detect_and_extract_faces(photo);

        // A call-back costs a round trip when this runs on a server: four in all are enough for a progress bar.
        let quarter = faces.len().div_ceil(4).max(1);
        let mut sightings = Vec::with_capacity(faces.len());
        for compared in faces.chunks(quarter) {
            sightings.extend(compared.iter().map(|face| self.named(face)));
            self.show_progress(Progress::FacesCompared { done: sightings.len(), of: faces.len() });
        }
        sightings
    }

    /// Learns the faces of everybody in the gallery from their photographs.
    fn initialize_face_recognizer(&mut self) {
        self.gallery = gallery::enrol();
        self.show_progress(Progress::PeopleEnrolled(self.gallery.len()));
    }

    /// All faces on the photograph, from left to right, cut out.
    #[remoteable(work = photo.width() * photo.height())]
    fn detect_and_extract_faces(&mut self, photo: &Photo) -> Vec<Face> {
        let found = vision::faces_on(photo);
        let faces: Vec<Face> = found.into_iter().map(|found| vision::extract(photo, found)).collect();
        self.show_progress(Progress::FacesFound(faces.len()));
        faces
    }

    /// The user interface again: wherever the recogniser runs, progress shows on this very screen.
    #[outboard::device]
    fn show_progress(&mut self, progress: Progress) {
        self.screen.show(progress);
    }

    #[outboard::local]
    fn named(&self, face: &Face) -> Sighting {
        Sighting { bounds: face.bounds, score: face.score, who: gallery::find(&self.gallery, face) }
    }
}

impl Screen {
    fn show(&mut self, progress: Progress) {
        self.updates += 1;
        if self.lit {
            let line = match progress {
                Progress::PeopleEnrolled(people) => format!("{people} people enrolled"),
                Progress::FacesFound(faces) => format!("{faces} faces found"),
                Progress::FacesCompared { done, of } => format!("{done} of {of} faces compared"),
            };
            eprint!("\r  {line:<40}");
        }
    }

    fn clear(&mut self) {
        if self.lit {
            eprint!("\r{:<42}\r", "");
        }
    }
}

fn main() -> ExitCode {
    demo::follow_the_demo();
    // The device of a demo holds its own runtime, because it hands on that runtime's report.
    if demo::is_device() { run() } else { outboard::main(run) }
}

fn run() -> ExitCode {
    let outcome =
        options::parse(std::env::args_os().skip(1)).map_err(demo::Failure::from).and_then(demo::run);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("face-recognition: {failure}");
            failure.exit_code()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo(name: &str) -> Photo {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/photos/");
        let opened = picture::open(format!("{folder}{name}.jpg").as_ref()).expect("a committed photograph");
        Photo::from_colour(&opened)
    }

    #[test]
    fn the_recogniser_knows_the_astronaut_and_says_where_she_is() {
        let sightings = Recognizer::new(false).show_who_is_on(&photo("eileen-collins"));
        let [sighting] = sightings.as_slice() else { panic!("one face: {sightings:?}") };
        assert!(
            matches!(&sighting.who, Match::Person { name, .. } if name == "Eileen Collins"),
            "{sighting:?}"
        );
        // Her eyes are near (205, 110) and (250, 105), her chin near (225, 165).
        let Bounds { x, y, width, height } = sighting.bounds;
        assert!((150..=200).contains(&x) && (50..=100).contains(&y), "{:?}", sighting.bounds);
        assert!((75..=120).contains(&width) && width == height, "{:?}", sighting.bounds);
    }

    #[test]
    fn a_photograph_without_faces_shows_nobody() {
        let wall = Photo::new(200, 200, vec![128; 40_000]).expect("a pixel for every place");
        assert_eq!(Recognizer::new(false).show_who_is_on(&wall), []);
        let speck = Photo::new(1, 1, vec![0]).expect("a pixel for every place");
        assert_eq!(Recognizer::new(false).show_who_is_on(&speck), []);
    }

    #[test]
    fn the_same_photograph_gives_the_same_bits_whoever_looks() {
        let photo = photo("apollo-11-crew");
        let (first, second) =
            (Recognizer::new(false).find_match(&photo), Recognizer::new(false).find_match(&photo));
        assert_eq!(first, second);
    }

    #[test]
    fn the_gallery_is_enrolled_once_and_the_screen_follows() {
        let mut recognizer = Recognizer::new(false);
        recognizer.show_who_is_on(&photo("eileen-collins"));
        assert_eq!(recognizer.gallery.len(), 4);
        assert_eq!(recognizer.screen.updates, 3, "enrolled, found, compared");
        recognizer.show_who_is_on(&photo("eileen-collins"));
        assert_eq!(recognizer.screen.updates, 5, "found, compared");
    }

    #[test]
    fn the_state_travels_without_the_screen() {
        let mut recognizer = Recognizer::new(false);
        recognizer.initialize_face_recognizer();
        let sent = serde_json::to_string(&recognizer).expect("the state can be encoded");
        let arrived: Recognizer = serde_json::from_str(&sent).expect("and decoded");
        assert_eq!(arrived.gallery, recognizer.gallery);
        assert_eq!(arrived.screen.updates, 0);
    }
}
