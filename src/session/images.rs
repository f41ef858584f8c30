//! Which lab image a session gets.

use super::{CreateError, Sessions, StartRequest};
use crate::image::{self, ImageInfo};

impl Sessions {
    /// The lab images that sessions can have; the usual one first, then by name.
    pub fn images(&self) -> Vec<ImageInfo> {
        let mut images = image::list(&self.inner.paths).unwrap_or_else(|e| {
            tracing::error!("listing lab images: {e:#}");
            Vec::new()
        });
        images.sort_by_key(|i| i.name != self.inner.config.sessions.image);
        images
    }

    /// The lab image for a request: the one that it names, or its template's, its lesson's, or the usual one.
    pub(super) fn choose_image(&self, request: &StartRequest) -> Result<ImageInfo, CreateError> {
        let missing: fn(String) -> CreateError =
            if request.image.is_some() { CreateError::UnknownImage } else { CreateError::NoImage };
        let lesson = request.lesson.as_ref().and_then(|(c, l)| self.inner.library.lesson(c, l));
        let named = request.image.as_ref().or(request.template.image.as_ref());
        let name = named.or(lesson.and_then(|l| l.image.as_ref()));
        let name = name.unwrap_or(&self.inner.config.sessions.image);
        self.image(name).ok_or_else(|| missing(name.clone()))
    }

    /// What is known of an image; none where it is not there or its record is damaged.
    pub(super) fn image(&self, name: &str) -> Option<ImageInfo> {
        image::read(&self.inner.paths, name).unwrap_or_else(|e| {
            tracing::error!("{e:#}");
            None
        })
    }
}
