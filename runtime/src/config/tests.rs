use std::path::Path;

use super::*;

fn environment<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
    |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
}

fn file(text: &str) -> Result<Values, ConfigError> {
    Values::from_file(Path::new("outboard.toml"), text)
}

#[test]
fn without_any_source_everything_runs_locally() {
    let config = Values::default().device("app", |_| None).unwrap();
    assert!(config.servers.is_empty());
    assert_eq!(config.objective, Objective::Time);
    assert_eq!(config.risk, Risk::Usual);
    assert_eq!(config.planning, Planning::Device);
    assert_eq!(config.slowdown, None);
    assert_eq!(config.hedge, Hedge::Late);
}

#[test]
fn hedging_is_set_like_everything_else() {
    let below = file("hedge = \"always\"").unwrap();
    let variables = environment(&[("OUTBOARD_HEDGE", "late")]);
    assert_eq!(
        Values::from_environment(variables).unwrap().over(below).device("app", |_| None).unwrap().hedge,
        Hedge::Late
    );
    let error = file("hedge = \"sometimes\"").unwrap_err().to_string();
    assert!(error.ends_with("`sometimes`: use `never`, `late` or `always`"), "{error}");
}

#[test]
fn what_plans_fear_is_set_like_everything_else() {
    let below = file("risk = \"averse\"").unwrap();
    assert_eq!(below.clone().device("app", |_| None).unwrap().risk, Risk::Averse);
    let above = Values::from_environment(environment(&[("OUTBOARD_RISK", "expected")])).unwrap();
    assert_eq!(above.over(below).device("app", |_| None).unwrap().risk, Risk::Expected);
    let error = file("risk = \"none\"").unwrap_err().to_string();
    assert!(error.ends_with("`none`: use `usual`, `expected` or `averse`"), "{error}");
}

#[test]
fn where_plans_are_made_is_set_like_everything_else() {
    let below = file("planning = \"server\"").unwrap();
    assert_eq!(below.clone().device("app", |_| None).unwrap().planning, Planning::Server);
    let above = Values::from_environment(environment(&[("OUTBOARD_PLANNING", "device")])).unwrap();
    assert_eq!(above.over(below).device("app", |_| None).unwrap().planning, Planning::Device);
    let error = file("planning = \"cloud\"").unwrap_err().to_string();
    assert!(error.ends_with("`cloud`: use `device` or `server`"), "{error}");
}

#[test]
fn the_environment_overrides_the_file() {
    let below = file("objective = \"energy\"\nslowdown = 0.2").unwrap();
    let variables = environment(&[("OUTBOARD_OBJECTIVE", "time"), ("OUTBOARD_SERVER", "")]);
    let config = Values::from_environment(variables).unwrap().over(below).device("app", |_| None).unwrap();
    assert_eq!(config.objective, Objective::Time);
    assert_eq!(config.slowdown, Some(0.2));
}

#[test]
fn errors_name_key_source_and_what_is_allowed() {
    let error = Values::from_environment(environment(&[("OUTBOARD_OBJECTIVE", "speed")])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`objective` in the environment (OUTBOARD_OBJECTIVE) is `speed`: use `time`, `energy` or `battery`"
    );
    let error = file("exploration = 7.0").unwrap().device("app", |_| None).unwrap_err();
    assert_eq!(error.to_string(), "`exploration` in outboard.toml is `7`: use a number from 0 to 1");
}

#[test]
fn an_unknown_key_is_an_error_that_lists_the_keys() {
    let error = file("sever = \"x\"").unwrap_err().to_string();
    assert!(error.contains("sever") && error.contains("slowdown"), "{error}");
}

#[test]
fn a_bad_address_is_refused_without_showing_its_token() {
    let error = file("server = \"outboard://host#key.secret\"").unwrap_err().to_string();
    assert!(error.contains("`server` in outboard.toml") && !error.contains("secret"), "{error}");
}

#[test]
fn the_key_is_kept_under_the_home_directory() {
    let variables = environment(&[("HOME", "/home/ada")]);
    let config = Values::default().server("chess", variables).unwrap();
    assert_eq!(config.state_dir, Path::new("/home/ada/.local/state/outboard/chess"));
    let error = Values::default().server("chess", environment(&[])).unwrap_err();
    assert!(matches!(error, ConfigError::NoStateDir));
}

#[test]
fn not_a_number_is_no_share() {
    assert!(file("exploration = nan").unwrap().device("app", |_| None).is_err());
}

#[test]
fn what_was_learned_is_kept_where_it_is_said_or_in_the_state_folder_or_nowhere() {
    let keep = |values: Values, home: Option<&str>| {
        let variable = |name: &str| home.filter(|_| name == "HOME").map(str::to_owned);
        values.device("app", variable).unwrap().profile
    };
    assert_eq!(keep(Values::default(), None), Keep::Off, "there is no place");
    let folder = PathBuf::from("/home/ada/.local/state/outboard/app");
    assert_eq!(keep(Values::default(), Some("/home/ada")), Keep::In(folder));
    assert_eq!(keep(file("profile = 'off'").unwrap(), Some("/home/ada")), Keep::Off);
    assert_eq!(keep(file("profile = 'kept.toml'").unwrap(), None), Keep::File("kept.toml".into()));
    assert_eq!(keep(file("state_dir = 'state'").unwrap(), None), Keep::In("state".into()));
    let error = file("profile_interval = 0").unwrap().device("app", |_| None).unwrap_err();
    assert!(error.to_string().contains("`profile_interval`") && error.to_string().contains("1 to 86400"));
}
