"""What a microscope saw: frames, masks of ROIs, their traces, and one imaging plane of them."""
