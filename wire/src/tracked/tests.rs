use super::*;

#[derive(Clone, Debug, Default, PartialEq)]
struct Screen {
    lines: Vec<u8>,
    window: Option<u8>,
}

impl State for Screen {
    const SKIPS: bool = true;

    fn schema(schema: &mut SchemaBuilder) {
        schema.structure::<Self>(|schema| {
            schema.field("lines", Vec::<u8>::schema);
            schema.skipped("window");
        });
    }

    fn encode(&self, out: &mut Encoder) -> Result<(), EncodeError> {
        self.lines.encode(out)
    }

    fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { lines: Vec::decode(input)?, window: None })
    }

    fn exchange(&mut self, other: &mut Self) {
        self.lines.exchange(&mut other.lines);
    }

    fn places(&self, places: &mut Places<'_>) {
        places.object(self);
    }
}

fn encode<T: State>(value: &T) -> Vec<u8> {
    let mut out = Encoder::new();
    value.encode(&mut out).expect("no limit is reached");
    out.into_bytes()
}

#[test]
fn a_stamp_lasts_until_the_value_may_have_changed() {
    let mut tracked = Tracked::new(vec![1u8]);
    let before = State::stamp(&tracked);
    assert_eq!(tracked.len(), 1);
    assert_eq!(State::stamp(&tracked), before);
    assert_ne!(State::stamp(&tracked.clone()), before, "a clone need not be what it was made from");
    tracked.push(2);
    assert_ne!(State::stamp(&tracked), before);
    tracked = Tracked::new(vec![1]);
    assert_ne!(State::stamp(&tracked), before, "another value has another, whatever it holds");
}

#[test]
fn a_whole_has_a_stamp_where_all_its_parts_have() {
    let mut pair = (Tracked::new(1), Box::new(Tracked::new(2)), ());
    let before = pair.stamp();
    assert!(before.is_some());
    std::mem::swap(&mut pair.0, &mut pair.1);
    assert_ne!(pair.stamp(), before, "the parts were swapped");
    assert_eq!((Tracked::new(1), 2).stamp(), None);
    assert_eq!([Tracked::new(1)].stamp(), None);
}

#[test]
fn it_travels_as_its_value_and_arrives_with_a_stamp_of_its_own() {
    let here = Tracked::new(vec![1u8, 2]);
    let bytes = encode(&here);
    assert_eq!(bytes, encode(&*here));
    let there = Tracked::<Vec<u8>>::decode(&mut Decoder::new(&bytes, 8)).expect("it was just written");
    assert_eq!(there, here);
    assert_ne!(State::stamp(&there), State::stamp(&here));
    let schema = |describe: fn(&mut SchemaBuilder)| crate::Schema::describe(describe).text;
    assert_eq!(schema(Tracked::<Vec<u8>>::schema), schema(Vec::<u8>::schema));
}

#[test]
fn its_stamp_goes_with_what_travels_and_skipped_fields_stay() {
    let mut here = Tracked::new(Screen { lines: vec![1], window: Some(7) });
    let mut there = Tracked::new(Screen { lines: vec![2], window: None });
    let stamps = (State::stamp(&here), State::stamp(&there));
    here.exchange(&mut there);
    assert_eq!((State::stamp(&there), State::stamp(&here)), stamps);
    assert_eq!(*here, Screen { lines: vec![2], window: Some(7) });
}

#[test]
fn lending_the_value_counts_as_a_change() {
    let mut here = Tracked::new(Screen::default());
    let mut paths = Vec::new();
    here.places(&mut Places::new(&mut |path, _| paths.push(path.to_vec())));
    assert_eq!(paths, [vec![], vec![0]]);
    for path in paths {
        let before = State::stamp(&here);
        let lent = here.place(&path).expect("it was named");
        match path.is_empty() {
            true => drop(lent.as_any().downcast_mut::<Tracked<Screen>>().map(|whole| whole.window = None)),
            false => assert!(lent.as_any().is::<Screen>()),
        }
        assert_ne!(State::stamp(&here), before, "{path:?}");
    }
}
