//! The profiles that come with Outboard.

use super::{DeviceProfile, ProfileError};

const BUILT_IN: [(&str, &str); 8] = [
    ("dell-inspiron-300m", include_str!("../../profiles/dell-inspiron-300m.toml")),
    ("htc-fuze", include_str!("../../profiles/htc-fuze.toml")),
    ("pixel-3a-wifi", include_str!("../../profiles/pixel-3a-wifi.toml")),
    ("pixel-4a-5g-wifi", include_str!("../../profiles/pixel-4a-5g-wifi.toml")),
    ("raspberry-pi-3b-plus", include_str!("../../profiles/raspberry-pi-3b-plus.toml")),
    ("raspberry-pi-4b", include_str!("../../profiles/raspberry-pi-4b.toml")),
    ("raspberry-pi-5", include_str!("../../profiles/raspberry-pi-5.toml")),
    ("raspberry-pi-zero-w", include_str!("../../profiles/raspberry-pi-zero-w.toml")),
];

impl DeviceProfile {
    /// The names of the profiles that come with Outboard.
    pub fn built_in_names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// A profile that comes with Outboard, by its file name without the ending: `raspberry-pi-4b`, say.
    ///
    /// # Errors
    /// A name that none of them has; the error lists them.
    pub fn built_in(name: &str) -> Result<Self, ProfileError> {
        let Some((file, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) else {
            let known = BUILT_IN.map(|(name, _)| name).join(", ");
            return Err(ProfileError::NoSuchProfile { name: name.to_owned(), known });
        };
        Self::parse(file, text)
    }
}
