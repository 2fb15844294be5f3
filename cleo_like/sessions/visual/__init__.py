"""What the animal sees and how cells answer: screen, images, task, receptive fields, spikes."""
